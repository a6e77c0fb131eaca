import { expect, test } from '@jest/globals';
import { forecast } from '../../../controller/desired/forecast.ts';
import { app, port, snapshot, web } from '../../support/builders.ts';
import { translate, translator } from './support.ts';

const WEB = app('/web', { ports: [port({ VIP_0: '/web:80' })] });

test('a VIP has the address that the translation gives it once the app runs', () => {
  const running = web('/web', { VIP_0: '/web:80' }, '10.0.0.1:31000');
  const [key] = translate(running).services.keys();
  const { vips } = forecast(WEB, snapshot(), translator());
  expect(vips).toMatchObject([{ name: 'web', protocol: 'tcp', port: 80, sharedWith: [] }]);
  expect(key).toBe(`tcp/${vips[0]?.ipv4}:80`);
});

test('an IP VIP is at its own address, in its own family', () => {
  const both = app('/ip', { ports: [port({ VIP_0: '10.9.8.7:80', VIP_1: 'fd00::7:80' })] });
  const { vips } = forecast(both, snapshot(), translator());
  expect(vips.map(({ ipv4, ipv6 }) => [ipv4, ipv6])).toEqual(
    expect.arrayContaining([
      ['10.9.8.7', null],
      [null, 'fd00::7'],
    ]),
  );
});

test('apps that have the same VIP are told', () => {
  const other = web('/other', { VIP_0: '/web:80' }, '10.0.0.2:31000');
  const apart = web('/apart', { VIP_0: '/web:81' }, '10.0.0.2:31001');
  const { vips } = forecast(WEB, snapshot(other, apart), translator());
  expect(vips[0]?.sharedWith).toEqual(['/other']);
});

test('what was wrong before, and what is wrong elsewhere, is left out', () => {
  const bad = app('/web', { ports: [port({ VIP_0: 'nothing' })] });
  const elsewhere = app('/other', { ports: [port({ VIP_0: 'nothing' })] });
  expect(forecast(bad, snapshot(elsewhere), translator()).rejected).toHaveLength(1);
  expect(forecast({ ...bad }, snapshot(bad, elsewhere), translator()).rejected).toEqual([]);
  expect(forecast(bad, snapshot(WEB), translator())).toMatchObject({ vips: [], rejected: [{ app: '/web' }] });
});

test('an app of the same id in another framework is another app', () => {
  const other = web('/web', { VIP_0: '/other:80' }, '10.0.0.2:31000');
  const { vips } = forecast({ ...WEB, framework: 'prod' }, snapshot(other), translator());
  expect(vips.map(({ fqdn }) => fqdn)).toEqual(['web.prod.l4lb.thisdcos.directory']);
});
