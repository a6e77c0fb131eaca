import type { App, AppKey } from '../../../../controller/model/app.ts';
import type { Snapshot } from '../../../../controller/model/snapshot.ts';
import { Pace } from '../../../../controller/pace.ts';
import type { AgentAddresses } from '../../../../controller/source/document/agents.ts';
import { Feed } from '../../../../controller/source/feed.ts';
import type { Cluster } from '../../../../controller/source/mesos/cluster.ts';

const feeds = new WeakMap<Cluster, Feed>();

/** Everything that a cluster has published until now. */
export async function everythingOf(cluster: Cluster, addresses: AgentAddresses): Promise<Snapshot> {
  const feed = feeds.get(cluster) ?? new Feed();
  feeds.set(cluster, feed);
  const changed = new Map<AppKey, App | null>();
  const about = await cluster.take(changed, addresses, new Pace());
  feed.update(changed, { complete: true, learnedAt: 0, about });
  const { apps, ...others } = feed.snapshot;
  return { ...others, apps: [...apps].sort((a, b) => (a.id < b.id ? -1 : 1)) };
}
