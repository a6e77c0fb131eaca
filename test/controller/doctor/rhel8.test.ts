/** The facts of a host with RHEL 8's kernel, which the tests cannot run; see docs/kernels.md. */

import { expect, test } from '@jest/globals';
import { sysctlsFor } from '../../../controller/apply/sysctls.ts';
import type { Facts } from '../../../controller/doctor/facts.ts';
import { findings } from './healthy.ts';

const RELEASE = '4.18.0-553.51.1.el8_10.x86_64';

/** This many VIPs, and the kernel's default settings. */
function rhel8(vips: number): Partial<Facts> {
  return {
    kernelRelease: RELEASE,
    sysctls: sysctlsFor(RELEASE)
      .filter(({ family }) => family === undefined)
      .map(({ name, value, why }) => ({
        ...{ name, wanted: value, why, onlyAdvised: false, error: null, missing: false, writable: true },
        value: name === 'net.ipv4.vs.conn_reuse_mode' ? '1' : value,
      })),
    ipvs: { services: Array<string>(vips).fill('11.0.0.1'), timeouts: { tcp: 7_260, tcpFin: 120, udp: 300 } },
    // It has none of these settings.
    estimation: { switchedOn: null, processors: null, nice: null },
    tables: {
      grow: false,
      connections: { count: null, buckets: 4_096, maxBuckets: 4_096, loadFactor: null, max: null },
      services: { count: null, buckets: 256, loadFactor: null },
      estimation: null,
    },
  };
}

/** Settings that `run` writes when it starts. */
const REUSE = {
  check: 'sysctl net.ipv4.vs.conn_reuse_mode',
  found: '1',
  wanted: `0 on kernel ${RELEASE}`,
  why: expect.stringContaining('waits a second'),
};

test('a host of RHEL 8 lacks nothing that some hundred VIPs need, once `run` has written its settings', () => {
  expect(findings(rhel8(500))).toMatchObject([REUSE]);
});

test('above 1,000 VIPs its timer for rates cannot be switched off: the way out is a newer kernel', () => {
  expect(findings(rhel8(1_500))).toMatchObject([
    REUSE,
    { code: 'rate-estimator', state: 'warning', wanted: 'Linux 6.2 or newer', command: null },
  ]);
});

test('its tables have a fixed size: many connections need conn_tab_bits, very many VIPs a newer kernel', () => {
  const tables = findings(rhel8(20_000)).filter(({ code }) => code === 'ipvs-tables');
  expect(tables).toMatchObject([{ check: 'IPVS table of services', command: null }]);
});
