/** Told of transitions after they are durable. A listener must neither throw nor wait. */
export type Listener<T> = (transitions: readonly T[]) => void;

/**
 * Tells the rest of the process what a transaction of its own has committed: all of it is a hint, nothing depends on
 * it.
 */
export interface Announcements<T> {
  announce(transitions: readonly T[]): void;
  subscribe(listener: Listener<T>): void;
}

/** Announces to each listener, in the order that they subscribed in; nothing where there are no transitions. */
export function createAnnouncements<T>(): Announcements<T> {
  const listeners: Listener<T>[] = [];
  return {
    announce: (transitions) => {
      if (transitions.length > 0) for (const listener of listeners) listener(transitions);
    },
    subscribe: (listener) => {
      listeners.push(listener);
    },
  };
}
