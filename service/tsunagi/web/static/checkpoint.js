/* The page on which a kept checkpoint is checked: the file is read here and goes nowhere; the log's tiles come here. */

import { growth } from "./growth.js";
import { Unchecked } from "./receipt.js";
import { droppable, element, outcome, say } from "./words.js";

const form = document.querySelector("#check-here");
const file = form.elements.namedItem("checkpoint");
const result = document.querySelector("#result");

let newest = 0;

async function check() {
  const [chosen] = file.files;
  if (!chosen) return;
  const turn = ++newest;
  const found = await growth(await chosen.arrayBuffer(), form.elements.namedItem("keys").value, published);
  if (turn !== newest) return; // something else was asked meanwhile
  const lines = [element("p", {}, chosen.name)];
  if (found.result === "good") lines.push(element("p", {}, grown(found)));
  if (found.result === "wrong") lines.push(element("p", {}, element("strong", {}, otherHistory())));
  if (found.en) lines.push(element("p", {}, say(found.ja, found.en)));
  result.replaceChildren(outcome(found.result, ...lines));
  result.focus();
}

/** A file of the log. Throws Unchecked. */
async function published(path) {
  const failed = new Unchecked(`${path} を取得できません`, `${path} cannot be had`);
  const answer = await fetch(`/ledger/${path}`, { cache: path === "checkpoint" ? "no-store" : "default" }).catch(() => {
    throw failed;
  });
  if (!answer.ok) throw failed;
  return answer.arrayBuffer();
}

/** As verifying_growth.py says it. */
function grown({ before, now }) {
  const [then, today] = [before.toLocaleString("en-US"), now.toLocaleString("en-US")];
  return say(
    `同じ歴史の続きです。保存したときの${then}件は、今の${today}件の最初に、そのまま残っています。`,
    `The same history, continued: the ${then} entries of then are, unaltered, the first of today’s ${today}.`,
  );
}

const otherHistory = () =>
  say(
    "違います。今の台帳は、この検証点の続きではありません。このファイルを手元に残し、監査の責任者に知らせてください。",
    "No: today’s log does not go on from this checkpoint. Keep the file, and tell whoever answers for the audit.",
  );

form.addEventListener("submit", (event) => {
  event.preventDefault();
  check();
});
file.addEventListener("change", check);
droppable(document.querySelector("#drop"), file, check);
form.hidden = false;
