/** A choice of the reader's that outlives the page, and tells the page when it changes. */
export interface StoredChoice<C extends string> {
  get(): C;
  set(choice: C): void;
  onChange(listener: () => void): () => void;
}

/**
 * Keeps one of a few words in the browser's storage; what stands there and is none of them counts as the first.
 * Where storage is forbidden the choice lasts as long as the page.
 */
export function storedChoice<C extends string>(name: string, choices: readonly [C, ...C[]]): StoredChoice<C> {
  const listeners = new Set<() => void>();
  let current = choices.find((choice) => choice === readStored(name)) ?? choices[0];
  return {
    get: () => current,
    set(choice) {
      current = choice;
      try {
        localStorage.setItem(`orrery.${name}`, choice);
      } catch {
        // Storage is full or forbidden: the choice holds until the page is closed.
      }
      for (const listener of listeners) listener();
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

function readStored(name: string): string | null {
  try {
    return localStorage.getItem(`orrery.${name}`);
  } catch {
    return null;
  }
}
