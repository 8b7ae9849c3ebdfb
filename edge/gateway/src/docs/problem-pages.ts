import { Fault, isReason, REASONS, type Reason, reasonRules } from "@orrery/mesh/fault/fault";
import { codeName, problemType } from "@orrery/mesh/fault/wire";
import { wantsHtml } from "../http/accept.ts";
import type { Page, PageHandler } from "../http/pages.ts";
import { escapeHtml, htmlPage } from "./html-page.ts";

/**
 * The pages of the reasons, at `/problems` and `/problems/{reason}`: what the `type` of a problem document
 * leads to.
 */
export function problemPages(publicUrl: string): PageHandler {
  return ({ path, header }) => {
    const name = path.slice("/problems/".length);
    const html = wantsHtml(header("accept"));
    if (name === "") {
      return html ? listPage() : json({ reasons: REASONS.map((reason) => describe(reason, publicUrl)) });
    }
    if (!isReason(name))
      throw new Fault("NOT_FOUND", { detail: "There is no reason of this name; /problems lists them." });
    return html ? reasonPage(name) : json(describe(name, publicUrl));
  };
}

function describe(reason: Reason, publicUrl: string): object {
  const { code, httpStatus, title, retryable, cause, fix } = reasonRules(reason);
  return {
    type: problemType(publicUrl, reason),
    reason,
    title,
    status: httpStatus,
    code: codeName(code),
    retryable,
    cause,
    fix,
  };
}

function reasonPage(reason: Reason): Page {
  const { code, httpStatus, title, retryable, cause, fix } = reasonRules(reason);
  const repeat = retryable ? "worth trying again" : "not worth trying again unchanged";
  return htmlPage(
    reason,
    `<h1>${escapeHtml(title)}</h1>
<p><code>${reason}</code> · HTTP ${httpStatus} · ${codeName(code)} · ${repeat}</p>
<h2>What brings it about</h2>
<p>${escapeHtml(cause)}</p>
<h2>What to do</h2>
<p>${escapeHtml(fix)}</p>
<p><a href="/problems">All reasons</a></p>`,
  );
}

function listPage(): Page {
  const items = REASONS.map((reason) => {
    const { title } = reasonRules(reason);
    return `<li><a href="/problems/${reason}"><code>${reason}</code></a> ${escapeHtml(title)}</li>`;
  });
  return htmlPage("Problems", `<h1>Every reason for a refusal</h1>\n<ul>\n${items.join("\n")}\n</ul>`);
}

function json(document: object): Page {
  return {
    status: 200,
    headers: { "content-type": "application/json", vary: "accept" },
    body: JSON.stringify(document),
  };
}
