import leven from "leven";
import { MEANT_EDITS, MEANT_NAME_CHARS } from "./limits.ts";

/**
 * The end of a refusal, `; did you mean maxAttempts?`, with the known name that was most likely meant; empty where none
 * is near. Letter case, underscores and hyphens do not count.
 */
export function didYouMean(written: string, known: readonly { readonly jsonName: string }[]): string {
  if (written.length > MEANT_NAME_CHARS) return "";
  const wanted = folded(written);
  let meant = "";
  let fewest = MEANT_EDITS + 1;
  for (const { jsonName } of known) {
    const name = folded(jsonName);
    // Of a short name half must be right; a difference in length alone takes as many edits.
    const allowed = Math.min(fewest - 1, Math.floor(Math.min(name.length, wanted.length) / 2));
    if (Math.abs(name.length - wanted.length) > allowed) continue;
    const edits = leven(name, wanted);
    if (edits > allowed) continue;
    meant = jsonName;
    fewest = edits;
  }
  return meant === "" ? "" : `; did you mean ${meant}?`;
}

const folded = (name: string): string => name.toLowerCase().replace(/[_-]/g, "");
