/* The page on which a receipt is checked: the file is read here and goes nowhere. */

import { verdict } from "./receipt.js";

const english = document.documentElement.lang === "en";
const say = (ja, en) => (english ? en : ja);
const form = document.querySelector("#check-here");
const file = form.elements.namedItem("receipt");
const drop = document.querySelector("#drop");
const result = document.querySelector("#result");

const VERDICTS = {
  good: ["確かめられました", "Verified", "notice notice-ok"],
  wrong: ["誤りがあります", "Proven wrong", "notice notice-error"],
  unchecked: ["確かめられませんでした", "Could not be checked", "notice notice-warning"],
};

let newest = 0;

async function check() {
  const [chosen] = file.files;
  if (!chosen) return;
  const turn = ++newest;
  const found = await verdict(await chosen.arrayBuffer(), form.elements.namedItem("keys").value);
  if (turn !== newest) return; // something else was asked meanwhile
  const [ja, en, look] = VERDICTS[found.result];
  const box = element("div", { className: look });
  box.append(element("h2", {}, say(ja, en)), element("p", {}, chosen.name));
  if (found.en) box.append(element("p", {}, say(found.ja, found.en)));
  result.replaceChildren(box);
  if (found.receipt) result.append(summary(found.receipt), steps(found.receipt));
  result.focus();
}

function summary({ handoverId, proven, waiting }) {
  const ja = `引継ぎ ${handoverId}：${proven.length}件が証明され、${waiting.length}件は未登録です。この後に何もなかったことと、発行日時は、証明の外です。`;
  const en = `Handover ${handoverId}: ${proven.length} proven, ${waiting.length} waiting. That nothing has happened since, and when the receipt was issued, is not proven.`;
  return element("p", {}, say(ja, en));
}

function steps({ proven, waiting }) {
  const table = element("table", {});
  table.append(element("caption", {}, say("証明された手続", "What is proven")));
  const columns = [["日時", "When"], ["手続", "Action"], ["機関", "Organization"], ["位置", "Position"], ["件数", "Log size"]];
  const head = element("tr", {});
  for (const [ja, en] of columns) head.append(element("th", { scope: "col" }, say(ja, en)));
  table.createTHead().append(head);
  const rows = table.createTBody();
  for (const { entry, checkpoint } of proven) rows.append(row(entry, checkpoint.size));
  for (const entry of waiting) rows.append(row(entry, say("未登録", "waiting")));
  const wrap = element("div", { className: "table-wrap", tabIndex: 0 });
  wrap.append(table);
  return wrap;
}

function row(entry, size) {
  const line = element("tr", {});
  const body = entry.body ?? new Map([["action", say("（本文なし）", "(text not shown)")]]);
  const organization = body.get("actor") instanceof Map ? body.get("actor").get("organization") : null;
  for (const one of [body.get("at"), body.get("action"), organization, entry.position, size])
    line.append(element("td", {}, `${one ?? "－"}`));
  return line;
}

function element(name, members, text) {
  const made = Object.assign(document.createElement(name), members);
  if (text !== undefined) made.textContent = text;
  return made;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  check();
});
file.addEventListener("change", check);
for (const name of ["dragover", "drop"]) drop.addEventListener(name, (event) => event.preventDefault());
drop.addEventListener("drop", (event) => {
  file.files = event.dataTransfer.files;
  check();
});
form.hidden = false;
