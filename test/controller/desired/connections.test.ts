import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { connectionsOf, endpointsNamed } from '../../../controller/desired/connections.ts';
import type { App } from '../../../controller/model/app.ts';
import { app, port, task, taskPort, web } from '../../support/builders.ts';
import { translate } from './support.ts';

const UUID = '0ef76549-2630-11e8-af52-70b3d5800001';

/** Brokers of a Kafka that the DC/OS SDK runs: three hosts, in no order. */
function kafka(framework = 'kafka'): App {
  const declared = port({ VIP_x: 'broker:9092' });
  const broker = (index: number, endpoint: string) =>
    task(`broker-${index}__${UUID}`, [taskPort(declared, endpoint)], { name: `broker-${index}` });
  const tasks = [broker(2, '10.0.0.214:9689'), broker(0, '10.0.0.211:9843'), broker(1, '10.0.0.217:10056')];
  return app('/broker', { fromTasks: true, framework, ports: [declared], tasks });
}

function connections(...apps: readonly App[]) {
  return connectionsOf(apps, translate(...apps));
}

const FIXTURE = new URL('../../../../shared/fixtures/kafka-connection-1.8.json', import.meta.url);
(existsSync(FIXTURE) ? test : test.skip)(
  'the connection of a Kafka is what `dcos kafka connection` printed (skipped without ../shared/fixtures)',
  () => {
    const expected = JSON.parse(readFileSync(FIXTURE, 'utf8'));
    const found = connections(kafka()).get('kafka')?.get('broker:9092');
    expect(found).toEqual(expected);
    expect(Object.keys(found ?? {}).sort()).toEqual(Object.keys(expected).sort());
  },
);

test('a service in a folder keeps its state under a name without slashes', () => {
  const found = connections(kafka('/prod/kafka'));
  expect(found.get('prodkafka')?.get('broker:9092')).toMatchObject({
    vip: 'broker.prodkafka.l4lb.thisdcos.directory:9092',
    zookeeper: 'master.mesos:2181/dcos-service-prod__kafka',
  });
});

test('Marathon’s apps have names of Mesos-DNS, innermost group first, and no ZooKeeper', () => {
  const found = connections(web('/shop/cart', { VIP_0: '/cart:80' }, '10.0.0.1:31000')).get('marathon');
  expect(found?.get('cart:80')).toEqual({
    address: ['10.0.0.1:31000'],
    dns: ['cart-shop.marathon.mesos:31000'],
    vip: 'cart.marathon.l4lb.thisdcos.directory:80',
  });
});

test('backends that get no new connections are not listed, and an endpoint without any is empty', () => {
  const declared = port({ VIP_0: '/web:80' });
  const killed = task('web.1', [taskPort(declared, '10.0.0.1:31000')], { state: 'killing' });
  const found = connections(app('/web', { ports: [declared], tasks: [killed] }));
  expect(found.get('marathon')?.get('web:80')).toMatchObject({ address: [], dns: [] });
});

test('an IP VIP is an endpoint of the frameworks whose apps declare it', () => {
  const found = connections(web('/web', { VIP_0: '10.9.9.9:80' }, '10.0.0.1:31000'));
  expect(found.get('marathon')?.get('10.9.9.9:80')).toMatchObject({ vip: '10.9.9.9:80' });
});

test('an endpoint over two protocols is listed once', () => {
  const declared = port({ VIP_0: '/dns:53' }, { protocols: ['udp', 'tcp'] });
  const apps = app('/dns', {
    ports: [declared],
    tasks: [task('dns.1', [taskPort(declared, '10.0.0.1:53')])],
  });
  const found = connections(apps).get('marathon');
  expect([...(found?.keys() ?? [])]).toEqual(['dns:53']);
  expect(found?.get('dns:53')?.address).toEqual(['10.0.0.1:53']);
});

test.each([
  ['broker', ['broker:9092', 'broker:9093']],
  ['/Broker', ['broker:9092', 'broker:9093']],
  ['broker:9093', ['broker:9093']],
  [undefined, ['admin:80', 'broker:9092', 'broker:9093']],
  ['brok', []],
])('%p means the endpoints %p', (name, expected) => {
  const none = { address: [], dns: [], vip: '' };
  const endpoints = new Map(['broker:9093', 'broker:9092', 'admin:80'].map((key) => [key, none]));
  expect(endpointsNamed(endpoints, name)).toEqual(expected);
});
