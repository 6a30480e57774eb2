/* That a log has only grown since a checkpoint that was kept, checked without the service, as tsunagi_verifier has it
 * (growth.py) and in its words. Knows no page: it works in Node as well. */

import {
  hex,
  fileText,
  logKeys,
  nodeHash,
  openCheckpoint,
  Refused,
  requireCryptography,
  Unchecked,
} from "./receipt.js";

const HEIGHT = 8;
const WIDTH = 2 ** HEIGHT;
const HASH_BYTES = 32;

/** How checking ends for whoever kept this checkpoint and believes these keys: as `verdict` of receipt.js, with the
 * sizes of the log then and now. `read` gives the bytes of a file that the log publishes, by its path. */
export async function growth(kept, keyText, read) {
  try {
    await requireCryptography();
    const keys = await logKeys(keyText);
    const before = await openKept(kept, keys);
    const now = await openCheckpoint(fileText(await read("checkpoint")), keys);
    await checkGrown(sized(before), sized(now), read);
    return { result: "good", before: before.size, now: now.size };
  } catch (error) {
    if (error instanceof Refused) return { result: "wrong", ja: error.ja, en: error.en };
    if (error instanceof Unchecked) return { result: "unchecked", ja: error.ja, en: error.en };
    throw error;
  }
}

/** Throws Unchecked: a file that was damaged here says nothing about the log. */
async function openKept(bytes, keys) {
  try {
    return await openCheckpoint(fileText(bytes), keys);
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    throw new Unchecked(
      `保管していた検証点が、渡された鍵で確かめられません（${error.ja}）。鍵を替えた後なら、前の鍵も渡してください`,
      `the kept checkpoint cannot be verified with the keys given (${error.en}); after a change of keys, give the old one as well`,
    );
  }
}

/** With numbers that can be reckoned with; a log of 2^53 entries is not to be met. */
function sized({ size, root }) {
  if (size > BigInt(Number.MAX_SAFE_INTEGER))
    throw new Unchecked("ログが大きすぎて、ここでは確かめられません", "the log is too large to be checked here");
  return { size: Number(size), root };
}

async function checkGrown(before, now, read) {
  if (now.size < before.size)
    throw new Refused(
      `ログが巻き戻されています。保管していた検証点では${before.size}件、今の検証点では${now.size}件です`,
      `the log was rolled back: it had ${before.size} entries when the checkpoint was kept, and has ${now.size}`,
    );
  if (before.size === now.size) {
    if (hex(before.root) !== hex(now.root)) throw forked(before, now);
    return;
  }
  if (before.size === 0) return; // every log begins with nothing
  const tiles = new Tiles(read, now.size);
  const [then, today] = await both(before.size, now.size, tiles);
  if (hex(today) !== hex(now.root))
    throw new Refused(
      "ログのタイルが、署名された検証点の根に行き着きません",
      "the tiles of the log lead to another root than the signed checkpoint's",
    );
  if (hex(then) !== hex(before.root)) throw forked(before, now);
}

function forked(before, now) {
  return new Refused(
    `ログが書き換えられています（分岐）。今の${now.size}件の最初の${before.size}件は、保管していた検証点の${before.size}件ではありません`,
    `the log forked: the first ${before.size} of its ${now.size} entries are not those of the checkpoint that was kept`,
  );
}

/** The roots of the first `old` entries and of all, out of the same hashes: each is of entries that are either all
 * among the first or all behind them (RFC 9162 section 2.1.4.1), so that whoever has both roots right has not altered
 * what was there. */
async function both(old, size, tiles) {
  let [begin, end] = [0, size];
  const whole = []; // complete subtrees on the left, which both trees have
  const behind = []; // on the right, which only the larger one has
  while (old < end) {
    const middle = begin + left(end - begin);
    if (old <= middle) {
      behind.push(await tiles.root(middle, end));
      end = middle;
      if (old === end) break;
    } else {
      whole.push([await tiles.root(begin, middle), behind.length]);
      begin = middle;
    }
  }
  const common = await tiles.root(begin, end);
  return [await joined(common, whole, []), await joined(common, whole, behind)];
}

/** The root over `common` with what lies left of it and right of it, from the inside out. */
async function joined(common, whole, behind) {
  let found = common;
  let place = behind.length;
  for (const [hash, outer] of [...whole].reverse()) {
    while (place > outer) found = await nodeHash(found, behind[--place]);
    found = await nodeHash(hash, found);
  }
  while (place > 0) found = await nodeHash(found, behind[--place]);
  return found;
}

/** The largest power of two that is less. */
function left(count) {
  let found = 1;
  while (found * 2 < count) found *= 2;
  return found;
}

/** The tiles of a log of so many entries (C2SP tlog-tiles), each read once. */
class Tiles {
  constructor(read, size) {
    [this.read, this.size, this.known] = [read, size, new Map()];
  }

  /** The root over these entries, which begin where a subtree of their number may (RFC 6962 section 2.1). */
  async root(begin, end) {
    const count = end - begin;
    const middle = left(count);
    if (count > 1 && middle * 2 !== count)
      return nodeHash(await this.root(begin, begin + middle), await this.root(begin + middle, end));
    let [level, width, first] = [0, count, begin];
    while (width >= WIDTH) [level, width, first] = [level + 1, width / WIDTH, first / WIDTH];
    const tile = await this.tile(level, Math.floor(first / WIDTH));
    const place = (first % WIDTH) * HASH_BYTES;
    return over(tile.subarray(place, place + width * HASH_BYTES));
  }

  async tile(level, number) {
    const hashes = Math.floor(this.size / WIDTH ** level);
    const width = Math.min(WIDTH, hashes - number * WIDTH);
    const path = `tile/${level}/${numbered(number)}${width < WIDTH ? `.p/${width}` : ""}`;
    if (!this.known.has(path)) this.known.set(path, new Uint8Array(await this.read(path)));
    const tile = this.known.get(path);
    if (tile.length !== width * HASH_BYTES)
      throw new Refused(`タイル ${path} の長さが違います（${tile.length}バイト）`, `tile ${path} has the wrong length (${tile.length} bytes)`);
    return tile;
  }
}

/** The root over a row of hashes, which are as many as a power of two. */
async function over(row) {
  if (row.length === HASH_BYTES) return row;
  const middle = row.length / 2;
  return nodeHash(await over(row.subarray(0, middle)), await over(row.subarray(middle)));
}

function numbered(number) {
  const digits = `${number}`;
  const threes = digits.padStart(Math.ceil(digits.length / 3) * 3, "0").match(/.../g);
  return threes.map((three, place) => (place < threes.length - 1 ? `x${three}` : three)).join("/");
}
