/* The page on which a receipt is checked: the file is read here and goes nowhere. */

import { verdict } from "./receipt.js";
import { droppable, element, moment, named, outcome, say } from "./words.js";

const form = document.querySelector("#check-here");
const file = form.elements.namedItem("receipt");
const result = document.querySelector("#result");

let newest = 0;

async function check() {
  const [chosen] = file.files;
  if (!chosen) return;
  const turn = ++newest;
  const found = await verdict(await chosen.arrayBuffer(), form.elements.namedItem("keys").value);
  if (turn !== newest) return; // something else was asked meanwhile
  const lines = [element("p", {}, chosen.name)];
  if (found.result === "wrong") lines.push(element("p", {}, element("strong", {}, altered(found))));
  if (found.result === "good") lines.push(...reached(found.receipt).map((text) => element("p", {}, element("strong", {}, text))));
  if (found.en) lines.push(element("p", {}, say(found.ja, found.en)));
  if (found.receipt) lines.push(element("p", {}, summary(found.receipt)));
  result.replaceChildren(outcome(found.result, ...lines));
  if (found.receipt) result.append(steps(found.receipt));
  result.focus();
}

/** As verifying.py says it. */
function altered({ unsigned, step }) {
  const where = step && (named("action", step.action) ?? say(`${step.place + 1}番目の手続`, `step ${step.place + 1}`));
  const [ja, en] = where ? [`（${where}の記載）`, ` (at: ${where})`] : ["", ""];
  if (unsigned)
    return say(
      `このファイルは書き換えられているか、別のログのものです。鍵も確かめてください${ja}。`,
      `This file was altered, or is of another log: look at the keys, too${en}.`,
    );
  if (where) return say(`このファイルは書き換えられています${ja}。`, `This file was altered${en}.`);
  return say(
    "このファイルは書き換えられているか、受渡しの証明ではありません。",
    "This file was altered, or is no receipt.",
  );
}

/** As verifying.py says it: nothing where the last step's text is not shown. */
function reached({ status, proven }) {
  const last = proven.at(-1).entry.body;
  if (last === null || status === null) return [];
  const [at, action, state] = [moment(last.get("at")), said(last)[1], named("status", status) ?? status];
  return [
    say(
      `最後の手続は${at}の「${action}」で、そのときの引継ぎの状態は「${state}」です。`,
      `The last step is “${action}” of ${at}; the handover’s state was then “${state}”.`,
    ),
  ];
}

function summary({ handoverId, proven, waiting }) {
  const short = handoverId.slice(-6).toUpperCase();
  const [ja, en] = waiting.length
    ? [`、${waiting.length}件はまだ台帳の検証点に入っていません`, `, ${waiting.length} in no checkpoint yet`]
    : ["", ""];
  return say(
    `引継ぎ 番号 ${short}：${proven.length}件の手続が証明されました${ja}。この後に何もなかったことと、発行日時は、証明の外です。`,
    `Handover No. ${short}: ${proven.length} steps are proven${en}; not that nothing has happened since, nor when the receipt was issued.`,
  );
}

function steps({ proven, waiting }) {
  const caption = say("証明された手続", "What is proven");
  const table = element("table", {}, element("caption", {}, caption));
  const columns = [["日時", "When"], ["手続", "Action"], ["機関", "Organization"], ["位置", "Position"]];
  table.createTHead().append(
    element("tr", {}, ...columns.map(([ja, en]) => element("th", { scope: "col" }, say(ja, en)))),
  );
  const rows = table.createTBody();
  for (const { entry } of proven) rows.append(row(entry, entry.position));
  for (const entry of waiting) rows.append(row(entry, say("未登録", "waiting")));
  const wrap = element("div", { className: "table-wrap", tabIndex: 0 }, table);
  wrap.setAttribute("role", "group");
  wrap.setAttribute("aria-label", caption);
  return wrap;
}

function row({ body }, position) {
  const cells = body === null ? hidden() : said(body);
  return element("tr", {}, ...[...cells, position].map((one) => element("td", {}, `${one}`)));
}

const hidden = () => ["－", say("（本文が示されていない）", "(text not shown)"), "－"];

function said(body) {
  const [action, actor] = [body.get("action"), body.get("actor")];
  const organization = actor instanceof Map ? (actor.get("organization") ?? null) : null;
  return [
    moment(body.get("at")),
    named("action", action) ?? action,
    organization === null ? say("運営", "The platform") : (named("organization", organization) ?? organization),
  ];
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  check();
});
file.addEventListener("change", check);
droppable(document.querySelector("#drop"), file, check);
form.hidden = false;
