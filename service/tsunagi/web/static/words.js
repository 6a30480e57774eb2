/* How a page writes what its scripts found: in its own language, with the names that it brought along, in Japan's
 * time. */

const english = document.documentElement.lang === "en";

export const say = (ja, en) => (english ? en : ja);

/** <template id="words"> has <data class="action" value="handovers:offer">, <data class="organization" value="…">. */
const brought = new Map(
  [...(document.querySelector("#words")?.content.querySelectorAll("data") ?? [])].map((one) => [
    `${one.className} ${one.value}`,
    one.textContent,
  ]),
);

/** What the page calls it, if it has a name for it. */
export const named = (kind, code) => brought.get(`${kind} ${code}`) ?? null;

const IN_JAPAN = { timeZone: "Asia/Tokyo", year: "numeric", day: "numeric" };
const DAY = new Intl.DateTimeFormat(english ? "en-US" : "ja-JP-u-ca-japanese", {
  ...IN_JAPAN,
  ...(english ? { month: "short" } : { era: "long", month: "numeric" }),
});
const TIME = new Intl.DateTimeFormat("en-US", { ...IN_JAPAN, hour: "numeric", minute: "2-digit", hourCycle: "h23" });

const parts = (format, at) =>
  Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));

/** 令和8年9月30日 9:05 / 30 Sep 2026, 9:05, as the server writes it. */
export function moment(text) {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return text;
  const [day, { hour, minute }] = [parts(DAY, at), parts(TIME, at)];
  const time = `${Number(hour)}:${minute}`;
  return say(
    `${day.era}${day.year}年${day.month}月${day.day}日 ${time}`,
    `${day.day} ${day.month} ${day.year}, ${time}`,
  );
}

export function element(name, members, ...content) {
  const made = Object.assign(document.createElement(name), members);
  made.append(...content);
  return made;
}

const VERDICTS = {
  good: ["確かめられました", "Verified", "notice notice-ok stack stack-tight"],
  wrong: ["誤りがあります", "Proven wrong", "notice notice-error stack stack-tight"],
  unchecked: ["確かめられませんでした", "Could not be checked", "notice notice-warning stack stack-tight"],
};

/** How a check has ended, and what is said of it. */
export function outcome(result, ...lines) {
  const [ja, en, look] = VERDICTS[result];
  return element("div", { className: look }, element("h2", {}, say(ja, en)), ...lines);
}

/** A field takes a file that is dropped on it as one that is chosen. */
export function droppable(field, file, dropped) {
  for (const name of ["dragover", "drop"]) field.addEventListener(name, (event) => event.preventDefault());
  field.addEventListener("drop", (event) => {
    file.files = event.dataTransfer.files;
    dropped();
  });
}
