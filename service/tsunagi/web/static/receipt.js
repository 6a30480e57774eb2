/* What a receipt proves, checked without the service: the same checks in the same order, and the same words, as
 * tsunagi_verifier has them (clients/verifier). Knows no page: it works in Node as well. */

const MAX_NOTE_BYTES = 100_000;
const MAX_SIZE = 2n ** 63n - 1n;
const MAX_HASHES = 63;
const LOG = 1;
const WITNESS = 4;
const BASE_POINT = Uint8Array.of(0x58, ...new Array(31).fill(0x66)); // RFC 8032 section 5.1: one that every curve has
const utf8 = new TextEncoder();

export class Refused extends Error {
  /** What was shown does not prove what it is said to. `entry` is the position of the first that is wrong, `step` the
   * place among the receipt's steps of the one that it is about, and the action that the receipt says it is. */
  constructor(ja, en, entry = null) {
    super(`${ja} / ${en}`);
    [this.ja, this.en, this.entry, this.step] = [ja, en, entry, null];
  }
}

/** Nothing of it was signed by the keys that are believed: it may be altered, or they may be those of another log. */
class Unsigned extends Refused {}

export class Unchecked extends Error {
  /** It could not be found out whether it is good. */
  constructor(ja, en) {
    super(`${ja} / ${en}`);
    [this.ja, this.en] = [ja, en];
  }
}

/** How checking the bytes of a receipt ends, for whoever believes these keys (one a line, `name+id+key`): `result` is
 * good, wrong or unchecked, with the reason of the latter two, and the receipt where it could be read to its end. Of
 * what is wrong, too: whether it is `unsigned`, and which `action` and `step` it is about, where it is about one. */
export async function verdict(bytes, keyText) {
  try {
    await requireCryptography();
    const receipt = await checkReceipt(bytes, keyText);
    if (!receipt.waiting.length) return { result: "good", receipt };
    const [ja, en] = waitingText(receipt.waiting.length);
    return { result: "unchecked", ja, en, receipt };
  } catch (error) {
    if (error instanceof Refused) {
      const { ja, en, entry, step } = error;
      return { result: "wrong", ja, en, entry, step, unsigned: error instanceof Unsigned };
    }
    if (error instanceof Unchecked) return { result: "unchecked", ja: error.ja, en: error.en };
    throw error;
  }
}

const waitingText = (count) => [
  `${count}件はまだ検証点に入っていません。数秒後に取得し直してください`,
  `${count} are in no checkpoint yet: get them again in a few seconds`,
];

/** Throws Unchecked where this browser cannot check signatures. */
export async function requireCryptography() {
  try {
    await crypto.subtle.importKey("raw", BASE_POINT, { name: "Ed25519" }, false, ["verify"]);
  } catch {
    throw new Unchecked(
      "このブラウザーは Ed25519 の署名を確かめられません。手元で tsunagi-verify を使ってください",
      "this browser cannot check Ed25519 signatures: use tsunagi-verify on your own machine",
    );
  }
}

/** What the bytes prove. Throws Refused, or Unchecked. */
async function checkReceipt(bytes, keyText) {
  const keys = await logKeys(keyText);
  const shown = readJson(fileText(bytes));
  const handoverId = member(shown, "handoverId", "text");
  const proven = [];
  const waiting = [];
  const course = new Course();
  for (const [place, step] of member(shown, "steps", "list").entries()) {
    try {
      const entry = await entryOf(step, handoverId);
      course.follow(entry);
      const proof = member(step, "proof", "text", null);
      if (proof === null) waiting.push(entry);
      else proven.push({ entry, checkpoint: await provenBy(entry, proof, keys) });
    } catch (error) {
      if (error instanceof Refused) error.step = { place, action: step instanceof Map ? step.get("action") : null };
      throw error;
    }
  }
  const status = course.end(member(shown, "status", "text"));
  const links = checkStreams([...proven.map((one) => one.entry), ...waiting]);
  const note = member(shown, "checkpoint", "text", null);
  if (note !== null) await openCheckpoint(note, keys);
  return { handoverId, status, proven, waiting, links };
}

/** The states of a handover, one step after the other. `state` is null where it is not known, since a text was not
 * shown. */
class Course {
  begun = false;
  state = null;

  follow(entry) {
    this.begun = true;
    if (entry.body === null) {
      this.state = null;
      return;
    }
    const change = member(entry.body, "change", "object", null);
    if (change === null) return;
    const before = member(change, "from", "text", null);
    if (this.state !== null && this.state !== before)
      throw new Refused(
        `記載 ${entry.id} の前の手続が抜けているか、順序が違います`,
        `a step before entry ${entry.id} is missing, or their order is another`,
        entry.position,
      );
    this.state = member(change, "to", "text");
  }

  end(status) {
    if (!this.begun) throw new Refused("受渡しの証明に手続がありません", "the receipt shows no step");
    if (this.state !== null && this.state !== status)
      throw new Refused(
        "受渡しの証明の状態が、最後の手続の後の状態と違います",
        "the status of the receipt is not the one after its last step",
      );
    return this.state;
  }
}

// Entries

async function entryOf(step, handoverId) {
  const entry = await readEntry(member(step, "entry", "object"));
  if (entry.body === null) return entry;
  const record = member(entry.body, "record", "object", new Map());
  const actor = member(entry.body, "actor", "object", new Map());
  const version = step.get("recordVersion");
  const said = {
    action: same(step.get("action"), entry.body.get("action")),
    at: sameInstant(step.get("at"), entry.body.get("at")),
    organizationId: same(step.get("organizationId"), actor.get("organization")),
    recordVersion: same(version, null) || same(version, record.get("version")),
    handoverId: record.get("kind") !== "handover" || record.get("id") === handoverId,
  };
  const wrong = Object.keys(said).filter((name) => !said[name]);
  if (wrong.length)
    throw new Refused(
      `受渡しの証明の ${wrong.join("、")} が、記載 ${entry.id} の本文と違います`,
      `${wrong.join(", ")} of the receipt is not what the text of entry ${entry.id} says`,
      entry.position,
    );
  return entry;
}

async function readEntry(shown) {
  const id = member(shown, "id", "text");
  const position = member(shown, "position", "integer", null);
  const commitment = member(shown, "commitment", "text");
  if (!/^[0-9a-f]{64}$/.test(commitment))
    throw new Refused(`記載 ${id} の約束値が読めません`, `the commitment of entry ${id} is unreadable`);
  const text = member(shown, "body", "text", null);
  const salt = member(shown, "salt", "text", null);
  if ((text === null) !== (salt === null))
    throw new Refused(`記載 ${id} の本文と塩のどちらかがありません`, `entry ${id} lacks its text or its salt`);
  const body = text === null ? null : await committed(id, text, salt, commitment);
  if (body !== null) checkBeside(shown, body, id);
  const said = body ?? shown;
  const stream = member(said, "stream", "text", null);
  return { id, position, commitment, body, stream, number: member(said, "number", "integer", null) };
}

async function committed(id, text, salt, commitment) {
  if (hex(await sha256(decoded(salt), encoded(text))) !== commitment)
    throw new Refused(
      `記載 ${id} の本文が、約束値（本文から計算して台帳に残した値）と合いません`,
      `the text of entry ${id} is not the one that was committed to`,
    );
  const body = readJson(text);
  if (!(body instanceof Map) || body.get("id") !== id)
    throw new Refused(`${id} は別の記載です`, `the text of ${id} is that of another entry`);
  return body;
}

/** What may stand beside an entry's text is what the text says. */
function checkBeside(shown, body, id) {
  const names = ["stream", "number", "action", "outcome"];
  const wrong = names.filter((name) => shown.has(name) && !same(shown.get(name), body.get(name)));
  if (shown.has("recordedAt") && !sameInstant(shown.get("recordedAt"), body.get("at"))) wrong.push("recordedAt");
  if (wrong.length)
    throw new Refused(
      `記載 ${id} の ${wrong.join("、")} が本文と違います`,
      `${wrong.join(", ")} of entry ${id} is not what its text says`,
    );
}

/** Entries that follow each other in a stream name each other; returns how many do. */
function checkStreams(entries) {
  const streams = new Map();
  for (const entry of entries) {
    if (entry.stream === null || entry.number === null) continue;
    const held = streams.get(entry.stream) ?? new Map();
    streams.set(entry.stream, held);
    const twin = held.get(entry.number) ?? entry;
    if (twin.commitment !== entry.commitment)
      throw broken(entry, `は${twin.id}と同じ番号です`, `has the number of ${twin.id}`);
    held.set(entry.number, twin);
  }
  let links = 0;
  for (const held of streams.values()) {
    for (const number of [...held.keys()].sort((one, other) => (one < other ? -1 : 1))) {
      const [before, entry] = [held.get(number - 1n), held.get(number)];
      if (number === 1n || !before) continue;
      if (entry.body !== null && entry.body.get("previous") !== before.commitment)
        throw broken(entry, `は${before.id}に続いていません`, `does not follow ${before.id}`);
      links += 1;
    }
  }
  return links;
}

function broken(entry, ja, en) {
  return new Refused(
    `流れ ${entry.stream} の${entry.number}番の記載 ${entry.id} ${ja}`,
    `entry ${entry.id}, number ${entry.number} of stream ${entry.stream}, ${en}`,
    entry.position,
  );
}

// Proofs (C2SP tlog-proof) and inclusion (RFC 9162 section 2.1.3.2, the hashing of RFC 6962)

async function provenBy(entry, text, keys) {
  const proof = readProof(text);
  if (proof.index !== entry.position)
    throw new Refused(
      `記載 ${entry.id} の位置が、証明の位置${proof.index}と違います`,
      `entry ${entry.id} is not said to be at ${proof.index}, where the proof has it`,
      entry.position,
    );
  try {
    const checkpoint = await openCheckpoint(proof.note, keys);
    await checkInclusion(await leafHash(unhex(entry.commitment)), proof, checkpoint);
    return checkpoint;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    throw new error.constructor(`記載 ${entry.id}: ${error.ja}`, `entry ${entry.id}: ${error.en}`, entry.position);
  }
}

function readProof(text) {
  const end = text.indexOf("\n\n");
  const lines = (end < 0 ? text : text.slice(0, end)).split("\n");
  if (end < 0 || lines[0] !== "c2sp.org/tlog-proof@v1")
    throw new Refused("証明ファイルではありません", "not a proof file");
  if (lines[1]?.startsWith("extra ")) decoded(lines.splice(1, 1)[0].slice("extra ".length));
  const index = lines[1]?.startsWith("index ") ? number(lines[1].slice("index ".length)) : null;
  if (index === null)
    throw new Refused("どの記載の証明かが書かれていません", "the proof does not say which entry it is about");
  const path = lines.slice(2).map(decoded);
  if (path.length > MAX_HASHES || path.some((one) => one.length !== 32))
    throw new Refused("証明がハッシュでできていません", "the proof is not made of hashes");
  return { index, path, note: text.slice(end + 2) };
}

async function checkInclusion(leaf, { index, path }, { size, root }) {
  if (index >= size)
    throw new Refused(`${size}件のログに位置${index}の記載はありません`, `entry ${index} is not among ${size}`);
  let [position, last, found] = [index, size - 1n, leaf];
  for (const sibling of path) {
    if (last === 0n) throw new Refused("証明のハッシュが多すぎます", "the proof has too many hashes");
    if (position % 2n || position === last) {
      found = await nodeHash(sibling, found);
      while (position % 2n === 0n && position) [position, last] = [position >> 1n, last >> 1n];
    } else found = await nodeHash(found, sibling);
    [position, last] = [position >> 1n, last >> 1n];
  }
  if (last) throw new Refused("証明のハッシュが足りません", "the proof has too few hashes");
  if (hex(found) !== hex(root))
    throw new Refused("証明が、検証点の根に行き着きません", "the proof leads to another root than the checkpoint's");
}

const leafHash = (entry) => sha256(Uint8Array.of(0), entry);
export const nodeHash = (left, right) => sha256(Uint8Array.of(1), left, right);

// Checkpoints and keys (C2SP signed-note, tlog-checkpoint)

/** What a note's checkpoint says. Throws Refused. */
export async function openCheckpoint(note, keys) {
  if (encoded(note).length > MAX_NOTE_BYTES || /[\x00-\x09\x0b-\x1f]/.test(note)) throw malformed();
  const end = note.lastIndexOf("\n\n");
  if (end < 0 || !note.endsWith("\n") || end + 2 === note.length)
    throw new Refused("署名がありません", "the note is not signed");
  const text = note.slice(0, end + 1);
  let signed = false;
  for (const line of note.slice(end + 2, -1).split("\n")) {
    const { name, raw } = signatureLine(line);
    for (const key of keys) {
      if (key.name !== name || key.id !== hex(raw.subarray(0, 4))) continue;
      if (!(await verified(key, text, raw.subarray(4))))
        throw new Refused("署名がその鍵のものではありません", "the signature is not that of the key");
      signed = true;
    }
  }
  if (!signed) throw new Unsigned("渡された鍵の署名がありません", "the note is not signed by the key that was given");
  const checkpoint = readCheckpoint(text);
  if (checkpoint.origin !== keys[0].name)
    throw new Unsigned("別のログの検証点です", "the checkpoint is of another log");
  return checkpoint;
}

function signatureLine(line) {
  const [, dash, name, base64] = /^([^ ]*) ?([^ ]*) ?(.*)$/s.exec(line);
  const raw = decoded(base64);
  if (dash !== "\u2014" || !name || raw.length <= 4) throw malformed();
  return { name, raw };
}

function readCheckpoint(text) {
  const lines = text.split("\n");
  const whole = lines.length >= 4 && !lines.slice(0, -1).includes("");
  const root = whole ? decoded(lines[2]) : "";
  const size = whole ? number(lines[1]) : null;
  if (size === null || root.length !== 32) throw new Refused("検証点ではありません", "the note is no checkpoint");
  return { origin: lines[0], size, root };
}

async function verified(key, text, signature) {
  try {
    const imported = await crypto.subtle.importKey("raw", key.public, { name: "Ed25519" }, false, ["verify"]);
    return await crypto.subtle.verify({ name: "Ed25519" }, imported, signature, utf8.encode(text));
  } catch {
    return false; // the key is no point of the curve
  }
}

/** The log's keys among these lines; what begins with # is a remark. A mistake in them says nothing about the log:
 * throws Unchecked. */
export async function logKeys(text) {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() && !line.startsWith("#"));
  const keys = [];
  for (const line of lines) keys.push(await readKey(line.trim()));
  const known = keys.filter((key) => key.kind === LOG);
  if (!known.length) throw new Unchecked("ログの鍵がありません", "no key of the log");
  return known;
}

async function readKey(line) {
  const [, name, id, base64] = /^([^+\s]+)\+([^+]*)\+(.*)$/.exec(line) ?? [];
  if (!name) throw new Unchecked("鍵の書き方は「名+番号+鍵」です", "a key is written name+id+key");
  const typed = bytesOf(base64);
  if (typed?.length !== 33 || ![LOG, WITNESS].includes(typed[0]))
    throw new Unchecked("Ed25519の鍵ではありません", "the key is not one of Ed25519");
  if (hex((await sha256(utf8.encode(`${name}\n`), typed)).subarray(0, 4)) !== id)
    throw new Unchecked("鍵とその番号が合いません", "the key is not the one of its id");
  return { name, id, kind: typed[0], public: typed.subarray(1) };
}

// JSON, in which a name that stands twice is an error, and integers are exact

function readJson(text) {
  try {
    JSON.parse(text);
    const tokens = text.match(/"[^"\\]*(?:\\.[^"\\]*)*"|[^\s,:[\]{}]+|[[\]{}]/g);
    return value(tokens, { at: 0 });
  } catch {
    throw new Refused("JSONとして読めません", "not JSON");
  }
}

/** The value at this place among the tokens of a text that is known to be JSON. */
function value(tokens, place) {
  const token = tokens[place.at++];
  if (token === "[") {
    const list = [];
    while (tokens[place.at] !== "]") list.push(value(tokens, place));
    place.at += 1;
    return list;
  }
  if (token === "{") {
    const object = new Map();
    while (tokens[place.at] !== "}") {
      const name = JSON.parse(tokens[place.at++]);
      if (object.has(name)) throw new SyntaxError("a name stands twice");
      object.set(name, value(tokens, place));
    }
    place.at += 1;
    return object;
  }
  return /^-?[0-9]+$/.test(token) ? BigInt(token) : JSON.parse(token);
}

const KINDS = {
  text: (one) => typeof one === "string",
  integer: (one) => typeof one === "bigint",
  list: Array.isArray,
  object: (one) => one instanceof Map,
};

/** What the document has under this name, of this kind; null counts as absent. */
function member(document, name, kind, otherwise) {
  const found = (document instanceof Map ? document.get(name) : null) ?? null;
  if (found === null && otherwise !== undefined) return otherwise;
  if (!KINDS[kind](found)) throw new Refused(`${name} がないか、形が違います`, `${name} is missing or of another kind`);
  return found;
}

/** Whether two members are alike; one that is absent is null, and 1.0 is 1. */
function same(one, other) {
  const [a, b] = [one ?? null, other ?? null].map((item) => (Number.isSafeInteger(item) ? BigInt(item) : item));
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, at) => same(item, b[at]));
  if (a instanceof Map && b instanceof Map)
    return a.size === b.size && [...a].every(([name, item]) => b.has(name) && same(item, b.get(name)));
  return a === b;
}

const INSTANT = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6})\d*)?(?:Z|([+-])(\d\d):(\d\d))$/;

function sameInstant(one, other) {
  const at = microseconds(one);
  return at !== null && at === microseconds(other);
}

/** Since 1970, of an RFC 3339 instant. */
function microseconds(text) {
  const found = typeof text === "string" ? INSTANT.exec(text) : null;
  if (!found) return null;
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map(Number);
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null;
  if (hour > 23 || minute > 59 || second > 59 || found[9] > "23" || found[10] > "59") return null;
  const offset = (found[8] === "-" ? -1 : 1) * (Number(found[9] ?? 0) * 60 + Number(found[10] ?? 0));
  const seconds = date.getTime() / 1000 + hour * 3600 + (minute - offset) * 60 + second;
  return BigInt(seconds) * 1_000_000n + BigInt((found[7] ?? "").padEnd(6, "0"));
}

// Bytes

export function fileText(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Unchecked("ファイルを文字として読めません", "the file is not text");
  }
}

/** A number from 0, in the one way it is written, if it is one. */
function number(text) {
  if (!/^(?:0|[1-9][0-9]{0,18})$/.test(text)) return null;
  return BigInt(text) <= MAX_SIZE ? BigInt(text) : null;
}

/** JSON can hold halves of characters, which cannot be written as UTF-8. */
function encoded(text) {
  if (/\p{Surrogate}/u.test(text)) throw malformed();
  return utf8.encode(text);
}

/** Base64, in the one way it is written. */
function decoded(text) {
  const bytes = bytesOf(text);
  if (bytes === null) throw new Refused("base64ではありません", "not base64");
  return bytes;
}

function bytesOf(text) {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4) return null;
  try {
    const raw = atob(text);
    return btoa(raw) === text ? Uint8Array.from(raw, (one) => one.charCodeAt(0)) : null;
  } catch {
    return null;
  }
}

async function sha256(...parts) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", await new Blob(parts).arrayBuffer()));
}

export const hex = (bytes) => Array.from(bytes, (one) => one.toString(16).padStart(2, "0")).join("");
const unhex = (text) => Uint8Array.from(text.match(/../g), (two) => parseInt(two, 16));

function malformed() {
  return new Refused("署名付きの文の形をしていません", "the note is not well formed");
}
