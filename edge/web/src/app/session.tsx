import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useEffect, useMemo, useSyncExternalStore } from "react";
import { Problem } from "../api/problem.ts";
import { createReader, type Reader } from "../api/read.ts";
import { keepCurrent } from "../data/keep-current.ts";
import { createLiveFeed, type FeedState, type LiveFeed } from "../live/live-feed.ts";
import { apiKey } from "./api-key.ts";

/** What a signed-in page reads with. */
export interface Session {
  readonly reader: Reader;
  readonly feed: LiveFeed;
}

const SessionContext = createContext<Session | undefined>(undefined);

/** The session. @throws Error outside of one */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === undefined) throw new Error("there is no session here");
  return session;
}

const HIDDEN_FOR_MS = 60_000;
const RETRIES = 2;

/** Opens a session with a key: its reader, its cache, and the one live connection that keeps the cache current. */
export function SessionProvider({ secret, children }: { secret: string; children: ReactNode }) {
  const { session, queries } = useMemo(() => {
    const reader = createReader(secret, apiKey.refuse);
    return { session: { reader, feed: createLiveFeed({ open: reader.open }) }, queries: newQueryClient() };
  }, [secret]);
  useEffect(() => {
    // React may run an effect twice: a feed that the first cleanup closed goes on.
    session.feed.resume();
    const stopKeeping = keepCurrent(queries, session.feed);
    const stopSleeping = sleepWhileHidden(session.feed);
    return () => {
      stopKeeping();
      stopSleeping();
      session.feed.close();
      queries.clear();
    };
  }, [session, queries]);
  return (
    <SessionContext value={session}>
      <QueryClientProvider client={queries}>{children}</QueryClientProvider>
    </SessionContext>
  );
}

/** How the live connection stands. */
export function useFeedState(): FeedState {
  const { feed } = useSession();
  return useSyncExternalStore(feed.onState, feed.state);
}

function newQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 2_000,
        gcTime: 5 * 60_000,
        refetchOnWindowFocus: true,
        // What the edge refuses stays refused; what was away may be back.
        retry: (failures, error) => error instanceof Problem && error.passing && failures < RETRIES,
        retryDelay: (failures) => 400 * 2 ** failures,
        throwOnError: false,
      },
    },
  });
}

/** A page that nobody looks at for a minute gives its connection back. */
function sleepWhileHidden(feed: LiveFeed): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const look = () => {
    clearTimeout(timer);
    if (document.visibilityState === "hidden") timer = setTimeout(() => feed.sleep(), HIDDEN_FOR_MS);
    else feed.wake();
  };
  document.addEventListener("visibilitychange", look);
  return () => {
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", look);
  };
}
