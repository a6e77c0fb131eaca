import { describe, expect, test } from '@jest/globals';
import type { Endpoint } from '../../../controller/model/endpoint.ts';
import { app, nothingRemembered, port, snapshot, task } from '../../support/builders.ts';
import { translator } from './support.ts';

const declared = port({ VIP_0: '/web:80' }, { mode: 'container/bridge' });
const HOST_PORT: Endpoint = { address: '10.0.0.1', port: 31_000 };
const web = (...local: readonly Endpoint[]) =>
  app('/web', {
    ports: [declared],
    tasks: [task('web.1', [{ ...declared, endpoints: [HOST_PORT], local }])],
  });

/** The backends on a host with these addresses. */
function backendsOn(here: readonly string[], ...local: readonly Endpoint[]) {
  const addresses = new Set(here);
  const translate = translator({ hostAddresses: () => addresses });
  const { services } = translate(snapshot(web(...local)), nothingRemembered);
  return [...services.values()].flatMap(({ family, backends }) =>
    [...backends.values()].map(({ address, port: number, hostPort }) => ({
      family,
      address,
      port: number,
      hostPort,
    })),
  );
}

const CONTAINER: Endpoint = { address: '172.17.0.2', port: 80 };

describe('a container that others reach by a host port', () => {
  test('is reached directly on the host that runs it, which says how others do', () => {
    expect(backendsOn(['10.0.0.1', '127.0.0.1'], CONTAINER)).toEqual([
      { family: 'ipv4', ...CONTAINER, hostPort: HOST_PORT },
    ]);
  });

  test('is reached by its host port on every other host, and where nobody says whose host it is', () => {
    const elsewhere = [{ family: 'ipv4', ...HOST_PORT, hostPort: undefined }];
    expect(backendsOn(['10.0.0.2'], CONTAINER)).toEqual(elsewhere);
    const { services } = translator()(snapshot(web(CONTAINER)), nothingRemembered);
    expect([...services.values()].flatMap(({ backends }) => [...backends.keys()])).toEqual([
      '10.0.0.1:31000',
    ]);
  });

  test('has the family on its own host that it has on others: a VIP is the same everywhere', () => {
    const ipv6 = { address: 'fd01:b::2', port: 80 };
    expect(backendsOn(['10.0.0.1'], ipv6, CONTAINER)).toMatchObject([{ family: 'ipv4', ...CONTAINER }]);
    expect(backendsOn(['10.0.0.1'], ipv6)).toMatchObject([{ family: 'ipv4', ...HOST_PORT }]);
  });

  test('moves when this host gets or loses the address of the agent', () => {
    let here: ReadonlySet<string> = new Set(['10.0.0.9']);
    const translate = translator({ hostAddresses: () => here });
    const apps = snapshot(web(CONTAINER));
    const first = translate(apps, nothingRemembered);
    here = new Set(['10.0.0.9', '10.0.0.1']);
    const moved = translate(apps, first.memory);
    const [service] = moved.services.values();
    expect([...(service?.backends.keys() ?? [])]).toEqual(['172.17.0.2:80']);
    const again = translate(snapshot(web(CONTAINER)), moved.memory);
    expect([...again.services.values()][0]).toEqual(service);
  });
});
