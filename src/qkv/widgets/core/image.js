// Pixels as an image that a page can show.

const urls = new WeakMap(); // what it is known by → its address

/**
 * The address of an image "channel row column", grey or red, green and blue. It is made once for each `key`.
 * @param {number[][][]} image
 * @param {object} key
 */
export function imageURL(image, key = image) {
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

const part = (i, n) => (n > 1 ? (100 * i) / (n - 1) : 0);

/** One of the equal squares that an image of rows × columns of them is cut into, as a style. */
export const cutOf = (url, p, [rows, columns]) =>
  `background-image:url(${url});background-size:${100 * columns}% ${100 * rows}%;` +
  `background-position:${part(p % columns, columns)}% ${part(Math.floor(p / columns), rows)}%`;
