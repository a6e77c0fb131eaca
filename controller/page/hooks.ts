import { useEffect, useState } from 'preact/hooks';
import { ask, type Reply } from './api.ts';
import type { Feed } from './feed.ts';
import { currentFeed, onFeed } from './stream.ts';

/** What has been heard; the component is drawn anew with every event. */
export function useFeed(): Feed {
  const [feed, setFeed] = useState(currentFeed);
  useEffect(() => onFeed(() => setFeed(currentFeed())), []);
  return feed;
}

/** The time, every second. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/** The reply to a path, asked for again whenever `version` is another; null before the first one. */
export function useReply(path: string, version: unknown): Reply | null {
  const [reply, setReply] = useState<{ readonly path: string; readonly reply: Reply } | null>(null);
  useEffect(() => {
    const gone = new AbortController();
    void ask(path, { signal: gone.signal }).then((found) => {
      if (!gone.signal.aborted) setReply({ path, reply: found });
    });
    return () => gone.abort();
  }, [path, version]);
  return reply?.path === path ? reply.reply : null;
}
