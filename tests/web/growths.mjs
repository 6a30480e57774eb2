// Reads cases {"kept": base64, "keys": text, "folder": path}, one a line, and writes how the page's own code finds the
// log in that folder to have gone on.
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const { growth } = await import(pathToFileURL(`${process.argv[2]}/growth.js`));
const { Unchecked } = await import(pathToFileURL(`${process.argv[2]}/receipt.js`));
for await (const line of createInterface({ input: process.stdin })) {
  const { kept, keys, folder } = JSON.parse(line);
  const read = (path) =>
    readFile(`${folder}/${path}`).catch(() => {
      throw new Unchecked(`${path} がありません`, `${path} is not there`);
    });
  const { result, en = null, ja = null, before, now } = await growth(Buffer.from(kept, "base64"), keys, read);
  console.log(JSON.stringify({ result, en, ja, sizes: result === "good" ? [Number(before), Number(now)] : null }));
}
