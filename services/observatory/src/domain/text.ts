// What "the same text" means to a search, decided once and here, so that every engine behind the read model
// agrees: copies folded by these functions are stored, and no engine folds or tokenises anything by itself.
//
// T1: two texts are the same when their folded forms are: Unicode NFC, then lower case without regard to
// locale.
// T2: a word is a run of letters, marks and digits; everything else separates.

const RUN = /[\p{L}\p{M}\p{N}]+/gu;
const HUMP = /\p{Lu}*[^\p{Lu}]+|\p{Lu}+/gu;

/** The form in which texts are compared (T1). */
export function fold(text: string): string {
  return text.normalize("NFC").toLowerCase();
}

/** The words of a text that somebody looks for (T2), folded, in order. */
export function wordsOf(text: string): readonly string[] {
  return (text.normalize("NFC").match(RUN) ?? []).map(fold);
}

/**
 * The words under which a text is found: those of `wordsOf`, and the parts of camel case as well, so that
 * `timeout` finds `EncoderTimeout`. Each once.
 */
export function indexedWordsOf(text: string): ReadonlySet<string> {
  const words = new Set<string>();
  for (const run of text.normalize("NFC").match(RUN) ?? []) {
    words.add(fold(run));
    for (const part of run.match(HUMP) ?? []) words.add(fold(part));
  }
  return words;
}
