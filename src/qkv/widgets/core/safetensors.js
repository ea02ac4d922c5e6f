// Reading what qkv.transformer.save and qkv.vision.save write: a safetensors file of float16 or float32 weights.
const KINDS = [
  "qkv.transformer.Transformer, 1",
  "qkv.vision.VisionTransformer, 1",
  "qkv.vision.Captioner, 1",
  "qkv.vision.LookUpNetwork, 1",
  "qkv.vision.Painter, 1",
];

/** A float16's bits as a number. */
export function half(bits) {
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  const size = exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -24 * fraction;
  return bits & 0x8000 ? -size : size;
}

const readers = {
  F16: (buffer) => Float32Array.from(new Uint16Array(buffer), half),
  F32: (buffer) => new Float32Array(buffer),
};

/** The config, the vocabularies if there are any, all that is told of it, and the weights, {shape, data} by name. */
export function readCheckpoint(buffer) {
  const damaged = new Error("the model's file is damaged");
  if (buffer.byteLength < 8) throw damaged;
  const size = Number(new DataView(buffer).getBigUint64(0, true));
  if (size + 8 > buffer.byteLength) throw damaged;
  const { __metadata__: metadata, ...tensors } = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, size)));
  const kind = KINDS.find((known) => metadata?.[known]);
  if (!kind) throw new Error("the model's file is of another kind");
  const weights = {};
  for (const [
    name,
    {
      dtype,
      shape,
      data_offsets: [from, to],
    },
  ] of Object.entries(tensors)) {
    if (8 + size + to > buffer.byteLength) throw damaged;
    weights[name] = { shape, data: readers[dtype](buffer.slice(8 + size + from, 8 + size + to)) };
  }
  const told = JSON.parse(metadata[kind]);
  const { config, source_vocab: source, target_vocab: target } = told;
  return { config, source, target, told, weights };
}
