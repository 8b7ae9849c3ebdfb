const NAME = "orrery.key";
const listeners = new Set<() => void>();
let current = readKey();
let refused = false;

/**
 * The API key that the page reads with. It is kept for this tab alone and gone with it: session storage, because a
 * cookie would be sent by itself and local storage would outlive the day.
 */
export const apiKey = {
  get: (): string => current,
  /** Whether the edge did not take the last one. */
  wasRefused: (): boolean => refused,
  set: (key: string): void => change(key, false),
  forget: (): void => change("", false),
  refuse: (): void => change("", true),
  onChange: (listener: () => void): (() => void) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  },
};

function change(key: string, wasRefused: boolean): void {
  current = key;
  refused = wasRefused;
  try {
    if (key === "") sessionStorage.removeItem(NAME);
    else sessionStorage.setItem(NAME, key);
  } catch {
    // Storage is forbidden: the key is asked for again after a reload.
  }
  for (const listener of listeners) listener();
}

function readKey(): string {
  try {
    return sessionStorage.getItem(NAME) ?? "";
  } catch {
    return "";
  }
}
