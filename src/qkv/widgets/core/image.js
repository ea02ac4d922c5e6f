// Pixels as a picture.

const urls = new WeakMap(); // an image's data → its picture

/**
 * An image "channel height width" of 0 to 1 as the address of a PNG: grey, or red, green and blue. It is made once
 * for each `key`.
 * @param {number[][][]} image
 * @param {object} [key]
 * @returns {string}
 */
export function png(image, key = image) {
  if (!urls.has(key)) {
    const [height, width] = [image[0].length, image[0][0].length];
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { alpha: false }));
    const data = pen.createImageData(width, height);
    const channel = image.length === 3 ? [0, 1, 2] : [0, 0, 0];
    for (let i = 0; i < height; i++)
      for (let j = 0; j < width; j++)
        data.data.set([...channel.map((c) => 255 * image[c][i][j]), 255], 4 * (i * width + j));
    pen.putImageData(data, 0, 0);
    urls.set(key, canvas.toDataURL());
  }
  return urls.get(key);
}

/** The style of what has an image behind it. @param {number[][][]} image @param {object} [key] */
export const backdrop = (image, key) => `background-image:url(${png(image, key)})`;
