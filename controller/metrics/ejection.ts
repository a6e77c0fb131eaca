import { Counter, Gauge, type Registry } from 'prom-client';
import { EJECTION_CAUSES, type EjectionReport, PROBE_RESULTS } from '../model/ejection.ts';

/** Metrics of the ejection of backends, read on each scrape. */
export function registerEjectionMetrics(registry: Registry, report: () => EjectionReport): void {
  const registers = [registry];
  const ofNow = (name: string, help: string, read: (report: EjectionReport) => number) => {
    const collect = () => gauge.set(read(report()));
    const gauge: Gauge = new Gauge({ name: `marathon_ipvs_${name}`, help, registers, collect });
  };
  ofNow(
    'ejected_backends',
    'Backends that do not answer clients and probes of this host; at most half of the backends of a VIP leave the rotation.',
    ({ ejections }) => ejections.size,
  );
  ofNow(
    'eject_suspects',
    'Backends being probed because clients seem to get no reply.',
    ({ suspects }) => suspects,
  );
  ofNow(
    'eject_blind',
    '1 if this host cannot reach so many agents that it may be cut off itself; then it ejects no more backends.',
    ({ blind }) => (blind === null ? 0 : 1),
  );
  ofNow(
    'eject_behind',
    '1 if connections or counters cannot be read often enough to detect a failure within 2 s.',
    ({ behind }) => (behind === null ? 0 : 1),
  );
  new Counter({
    name: 'marathon_ipvs_ejections_ended_total',
    help: 'Ejected backends that returned because they answer again.',
    registers,
    collect() {
      this.reset();
      this.inc(report().returned);
    },
  });
  const ejections = new Counter({
    name: 'marathon_ipvs_ejections_total',
    help: 'Ejected backends, by how connections to them failed; agent: a UDP backend whose agent does not answer.',
    labelNames: ['cause'],
    registers,
    collect() {
      this.reset();
      for (const cause of EJECTION_CAUSES) this.inc({ cause }, report().ejected[cause]);
    },
  });
  const probes = new Counter({
    name: 'marathon_ipvs_eject_probes_total',
    help: 'Probe connections to backends, by result.',
    labelNames: ['result'],
    registers,
    collect() {
      this.reset();
      for (const result of PROBE_RESULTS) this.inc({ result }, report().probes[result]);
    },
  });
  for (const cause of EJECTION_CAUSES) ejections.inc({ cause }, 0);
  for (const result of PROBE_RESULTS) probes.inc({ result }, 0);
}
