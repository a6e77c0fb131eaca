import { useEffect, useState } from 'preact/hooks';
import { type Reply, request } from './api.ts';
import type { Feed } from './feed.ts';
import { currentFeed, onFeed } from './stream.ts';

/** The current feed; the component is rendered again after every event. */
export function useFeed(): Feed {
  const [feed, setFeed] = useState(currentFeed);
  useEffect(() => onFeed(() => setFeed(currentFeed())), []);
  return feed;
}

/** The current time; the component is rendered again every second. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/** The reply to a path, requested again whenever `version` changes; null before the first reply. */
export function useReply(path: string, version: unknown): Reply | null {
  const [reply, setReply] = useState<{ readonly path: string; readonly reply: Reply } | null>(null);
  useEffect(() => {
    const unmounted = new AbortController();
    void request(path, { signal: unmounted.signal }).then((found) => {
      if (!unmounted.signal.aborted) setReply({ path, reply: found });
    });
    return () => unmounted.abort();
  }, [path, version]);
  return reply?.path === path ? reply.reply : null;
}
