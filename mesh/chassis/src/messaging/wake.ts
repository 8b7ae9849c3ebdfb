import type { NatsConnection } from "nats";

/**
 * Calls the listener for each wake-up on a subject, which may end in `>`.
 *
 * Wake-ups are plain messages that may be lost: they save waiting for the next poll and never replace it. The
 * user needs to subscribe to the subject. What the same connection sends comes back as well, unless it was opened
 * without echo.
 *
 * @param connecting - what `connectNats` returns
 * @returns what ends the subscription
 */
export function subscribeWake(
  connecting: NatsConnection | Promise<NatsConnection>,
  subject: string,
  listener: (subject: string, word: string) => void,
): () => void {
  let ended = false;
  const end = Promise.withResolvers<void>();
  Promise.resolve(connecting).then(
    (nats) => {
      if (ended) return;
      const subscription = nats.subscribe(subject, {
        callback: (failure, message) => {
          if (failure === null) listener(message.subject, message.string());
        },
      });
      void end.promise.then(() => subscription.unsubscribe());
    },
    // A connection that never came is the concern of whoever asked for it.
    () => undefined,
  );
  return () => {
    ended = true;
    end.resolve();
  };
}
