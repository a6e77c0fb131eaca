import { expect, test } from '@jest/globals';
import { convertDocuments } from '../../../../controller/source/document/convert.ts';
import { readDocuments } from '../../../../controller/source/document/documents.ts';
import { translate } from '../../desired/support.ts';

const task = (state: string, n = 1, fields: object = {}) => ({
  ...{ id: `web.${n}`, host: `10.0.0.${n}`, ports: [31000], state },
  ...fields,
});
const web = (...tasks: readonly unknown[]) => ({
  ...{ id: '/web', cmd: 'x', tasks },
  portDefinitions: [{ port: 80, labels: { VIP_0: 'web:80' } }],
});

/** What the desired state says of an app or pod: rejections, backends, and why it has none. */
async function told(json: object) {
  const documents = readDocuments(json, 'the document');
  if (documents === null) throw new Error('no known shape');
  const { apps } = await convertDocuments(documents, {
    framework: 'marathon',
    resolver: { resolve: async () => null },
    previous: () => undefined,
  });
  const { rejected, declared, services } = translate(...apps.values());
  return {
    rejected: rejected.map(({ at, value }) => `${at} = ${value}`),
    because: declared[0]?.withoutBackends,
    backends: [...services.values()].flatMap(({ backends }) => [...backends.keys()]),
  };
}

test('an unknown state is reported with its path, and as the cause of a VIP without backends', async () => {
  expect(await told(web(task('TASK_RUNING')))).toEqual({
    rejected: ['tasks[0].state = TASK_RUNING'],
    because: 'of 1 task, 1 is in an unknown state ("TASK_RUNING")',
    backends: [],
  });
});

test('beside tasks that are unreachable and start', async () => {
  const tasks = [
    task('TASK_UNREACHABLE'),
    task('TASK_RUNNING ', 2),
    task('TASK_NEW', 3),
    task('TASK_STAGING', 4),
  ];
  expect(await told(web(...tasks))).toEqual({
    rejected: ['tasks[1].state = TASK_RUNNING ', 'tasks[2].state = TASK_NEW'],
    because: 'of 4 tasks, 1 starts, 1 is unreachable, 2 are in an unknown state ("TASK_RUNNING ")',
    backends: [],
  });
});

test('the other tasks serve on, and the place counts tasks that cannot be read', async () => {
  const tasks = [
    task('TASK_RUNNING', 1, { host: 5 }),
    task('TASK_NEW', 2),
    task('TASK_RUNNING', 3),
    task('task_running', 4),
  ];
  const { rejected, backends } = await told(web(...tasks));
  expect(rejected).toEqual(
    expect.arrayContaining(['tasks[1].state = TASK_NEW', 'tasks[3].state = task_running']),
  );
  expect(backends.toSorted()).toEqual(['10.0.0.3:31000', '10.0.0.4:31000']);
});

test('a container of a pod', async () => {
  const endpoint = { name: 'http', hostPort: 0, protocol: ['tcp'], labels: { VIP_0: 'web:80' } };
  const pod = {
    id: '/pod',
    spec: { networks: [{ mode: 'host' }], containers: [{ name: 'c', endpoints: [endpoint] }] },
    instances: [{ id: 'pod.1', agentHostname: '10.0.0.1', containers: [{ name: 'c', status: 'TASK_NEW' }] }],
  };
  expect(await told(pod)).toMatchObject({
    rejected: ['instances[0].containers[0].status = TASK_NEW'],
    because: 'of 1 task, 1 is in an unknown state ("TASK_NEW")',
  });
});
