const NAME = "orrery.key";
const listeners = new Set<() => void>();
let current = readKey();
let refused = false;

/** What the tabs of the page say to each other; only pages of this very origin hear it. */
type Word = { readonly is: "wanted" } | { readonly is: "here" | "forgotten"; readonly key: string };

const tabs = new BroadcastChannel(NAME);
const say = (word: Word) => tabs.postMessage(word);
tabs.onmessage = ({ data: word }: MessageEvent<Word>) => {
  if (word.is === "wanted") offer();
  else if (word.is === "here" && current === "") change(word.key, false);
  else if (word.is === "forgotten" && current === word.key) change("", false);
};
if (current === "") say({ is: "wanted" });

/**
 * The API key that the page reads with. It is kept in the session storage of each tab, handed to a new tab by one that
 * is open, and gone with the last: a cookie would be sent by itself, and local storage would outlive the day.
 */
export const apiKey = {
  get: (): string => current,
  /** Whether the edge did not take the last one. */
  wasRefused: (): boolean => refused,
  set: (key: string): void => {
    change(key, false);
    offer();
  },
  /** Signs out, in every tab that reads with this key. */
  forget: (): void => {
    say({ is: "forgotten", key: current });
    change("", false);
  },
  refuse: (): void => change("", true),
  onChange: (listener: () => void): (() => void) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  },
};

function offer(): void {
  if (current !== "") say({ is: "here", key: current });
}

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
