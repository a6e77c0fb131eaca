import { expect, test } from '@jest/globals';
import { Pace } from '../../../../controller/pace.ts';
import { Cluster } from '../../../../controller/source/mesos/cluster.ts';
import { RecordDecoder } from '../../../../controller/source/mesos/record-io.ts';
import { readState } from '../../../../controller/source/mesos/state.ts';
import { record } from '../../../support/mesos/record.ts';
import { TestCluster } from '../../../support/mesos/test-cluster.ts';
import { MARATHON, webTask } from './setup.ts';

/** Processor time of this thread, so that what else the machine does does not count. Milliseconds. */
function busyMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

class Measured extends Pace {
  #last = busyMs();
  longest = 0;
  all = 0;

  mark(): void {
    const part = busyMs() - this.#last;
    this.longest = Math.max(this.longest, part);
    this.all += part;
    this.#last = busyMs();
  }

  override async rest(): Promise<void> {
    this.mark();
    await super.rest();
    this.#last = busyMs();
  }
}

// How long the parts are is for the benchmark (100 ms at most): here it would depend on what else the machine does.
test('a state of 10,000 tasks and 30 MB is read in slices, none longer than a fifth of the whole', async () => {
  const model = new TestCluster(() => undefined);
  model.addFramework(MARATHON, 'marathon');
  model.addAgent('S0', '10.0.0.1');
  const labels = Object.fromEntries(
    Array.from({ length: 30 }, (_, index) => [
      `LABEL_${index}`,
      `some text of usual length that a label has ${index}`,
    ]),
  );
  for (let port = 10_000; port < 20_000; port++) model.addTask(webTask(port, { labels }));
  const subscribed = { get_state: model.state(), heartbeat_interval_seconds: 15 };
  const stream = record({ type: 'SUBSCRIBED', subscribed });
  expect(stream.length).toBeGreaterThan(30_000_000);

  const pace = new Measured();
  const decoder = new RecordDecoder(stream.length);
  const records: Buffer[] = [];
  for (let at = 0; at < stream.length; at += 65_536) {
    records.push(...decoder.feed(stream.subarray(at, at + 65_536)));
    await pace.rest();
  }
  const [whole] = records;
  if (whole === undefined) throw new Error('this is a record');
  const state = await readState(whole, pace);
  if (state === null) throw new Error('this is a state');
  const cluster = new Cluster();
  await cluster.replace(state, 0, pace);
  const { apps } = await cluster.snapshot(new Map([['10.0.0.1', '10.0.0.1']]), pace);
  pace.mark();
  expect(apps[0]?.tasks).toHaveLength(10_000);
  expect(pace.longest).toBeLessThan(pace.all / 5);
});
