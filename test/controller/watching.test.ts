/** What is deployed for those who watch: it knows the metrics that there are, and no others. */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';

const root = new URL('../../', import.meta.url);
const textOf = (path: string) => readFileSync(new URL(path, root), 'utf8');

const documented = new Map(
  [...textOf('docs/metrics.md').matchAll(/^\| `(marathon_ipvs_\w+)(?:\{([^}]*)\})?` \| (\w+) \|/gm)].map(
    ([, name = '', labels = '', type = '']) => [name, { labels: labels.split(','), type }],
  ),
);

/** Metrics of ours that an expression names, without what a histogram adds. */
function metricsIn(expression: string): string[] {
  const names = [...expression.matchAll(/\bmarathon_ipvs_\w+/g)].map(([name]) => name);
  return names.map((name) => {
    const histogram = name.replace(/_(bucket|count|sum)$/, '');
    return documented.get(histogram)?.type === 'histogram' ? histogram : name;
  });
}

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[];
}

describe('the Grafana dashboard', () => {
  const dashboard = JSON.parse(textOf('deploy/grafana/dashboard.json')) as {
    readonly panels: readonly Panel[];
    readonly templating: { readonly list: readonly { readonly name: string }[] };
  };
  const targets = dashboard.panels.flatMap((panel) => panel.targets);

  test('asks for metrics that there are, and groups by labels that they have', () => {
    for (const { expr, legendFormat } of targets) {
      const metrics = metricsIn(expr);
      expect(metrics.filter((name) => !documented.has(name))).toEqual([]);
      expect(metrics).not.toEqual([]);
      const known = metrics.flatMap((name) => documented.get(name)?.labels ?? []);
      const used = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
      const grouped = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, labels = '']) =>
        labels.split(', '),
      );
      expect([...known, 'instance', 'job', 'le']).toEqual(expect.arrayContaining([...used, ...grouped]));
    }
  });

  test('shows only the hosts that are chosen, and uses no variable that there is not', () => {
    const variables = new Set(dashboard.templating.list.map(({ name }) => name));
    for (const { expr } of targets) {
      const selected = expr.match(/\{job=~"\$job",instance=~"\$instance"\}/g) ?? [];
      expect(selected).toHaveLength(expr.match(/\b(marathon_ipvs|process)_\w+/g)?.length ?? 0);
      for (const [, name = ''] of expr.matchAll(/\$(\w+)/g)) {
        expect(variables.has(name) || name === '__rate_interval').toBe(true);
      }
    }
  });

  test('no panel lies on another one, or beyond the edge', () => {
    const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) => {
      expect(x + w).toBeLessThanOrEqual(24);
      return Array.from({ length: w * h }, (_, at) => `${x + (at % w)} ${y + Math.floor(at / w)}`);
    });
    expect(new Set(cells).size).toBe(cells.length);
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
  });
});

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly annotations: { readonly summary: string; readonly description: string };
}

describe('the alert rules', () => {
  const { groups } = parse(textOf('deploy/prometheus/rules.yaml')) as {
    readonly groups: readonly { readonly rules: readonly Rule[] }[];
  };
  const rules = groups.flatMap((group) => group.rules);

  test('ask for metrics that there are', () => {
    expect(rules).not.toEqual([]);
    for (const { expr } of rules) {
      expect(metricsIn(expr)).not.toEqual([]);
      expect(metricsIn(expr).filter((name) => !documented.has(name))).toEqual([]);
    }
  });

  test('each is tried by a test of its own', () => {
    const tests = textOf('deploy/prometheus/rules_test.yaml');
    for (const { alert } of rules) expect(tests).toContain(alert);
  });

  const promtool = spawnSync('promtool', ['--version']).status === 0;
  const title = promtool
    ? 'pass their tests'
    : "pass their tests (left out: no promtool here; it is in Debian's package prometheus)";
  (promtool ? test : test.skip)(title, () => {
    const run = (...words: string[]) =>
      spawnSync('promtool', words, { cwd: new URL('deploy/prometheus/', root), encoding: 'utf8' });
    expect(run('check', 'rules', 'rules.yaml')).toMatchObject({ status: 0 });
    const { status, stdout, stderr } = run('test', 'rules', 'rules_test.yaml');
    expect({ status, stderr, stdout }).toMatchObject({ status: 0 });
  });
});
