// Reads cases {"file": base64, "keys": text}, one a line, and writes the verdict of the page's own code on each.
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const { verdict } = await import(pathToFileURL(process.argv[2]));
for await (const line of createInterface({ input: process.stdin })) {
  const { file, keys } = JSON.parse(line);
  const { result, en = null, ja = null, entry = null, receipt } = await verdict(Buffer.from(file, "base64"), keys);
  const said = { result, en, ja, entry: entry === null ? null : Number(entry), proven: receipt?.proven.length ?? null };
  console.log(JSON.stringify(said));
}
