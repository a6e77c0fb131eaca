/** What the API says of Marathon itself: `/ping`, `/v2/info`, `/v2/leader`, `/v2/deployments`. */

import { notFound } from './errors.ts';
import type { Masters } from './masters.ts';
import type { Operations } from './operations.ts';
import { deployed, isSet, ok, type Reply, type Request, type Route } from './reply.ts';

export interface ClusterInfo {
  readonly frameworkName: string;
  readonly version: string;
}

export function clusterRoutes(operations: Operations, masters: Masters, info: ClusterInfo): readonly Route[] {
  return [
    { method: 'GET', path: /^\/ping$/, answer: () => ok('pong\n') },
    { method: 'GET', path: /^\/v2\/info$/, answer: () => ok(infoJson(masters.leader, info)) },
    { method: 'GET', path: /^\/v2\/leader$/, answer: getLeader },
    { method: 'DELETE', path: /^\/v2\/leader$/, answer: abdicate },
    { method: 'GET', path: /^\/v2\/deployments$/, answer: () => ok(operations.deployments.toJson()) },
    { method: 'DELETE', path: /^\/v2\/deployments\/(?<id>[^/]+)$/, answer: cancelDeployment },
  ];

  function getLeader(): Reply {
    if (masters.leader === null) throw notFound('There is no leader');
    return ok({ leader: masters.leader });
  }

  function abdicate(): Reply {
    setImmediate(() => masters.elect());
    return ok({ message: 'Leadership abdicated' });
  }

  function cancelDeployment({ at, query, caller }: Request): Reply {
    const started = operations.cancelDeployment(at['id'] ?? '', isSet(query, 'force'), caller);
    return started ? deployed(started) : { status: 202 };
  }
}

function infoJson(leader: string | null, { frameworkName, version }: ClusterInfo) {
  const [hostname, port] = (leader ?? '').split(':');
  return {
    name: 'marathon',
    version,
    buildref: 'unknown',
    elected: leader !== null,
    ...(leader === null ? {} : { leader }),
    frameworkId: '5ad6e2d6-7a0c-4a65-b1ac-5a9f5be0c7aa-0001',
    http_config: { http_port: Number(port ?? 0), https_port: 8443 },
    marathon_config: {
      framework_name: frameworkName,
      hostname,
      ha: true,
      checkpoint: true,
      master: 'zk://127.0.0.1:2181/mesos',
      mesos_bridge_name: 'mesos-bridge',
      features: ['task_killing', 'vips'],
      local_port_min: 10000,
      local_port_max: 20000,
      task_launch_timeout: 300000,
    },
    zookeeper_config: { zk: 'zk://127.0.0.1:2181/marathon', zk_timeout: 10000 },
  };
}
