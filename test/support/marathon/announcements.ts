/** The events that tell of tasks and instances. */

import type { EventBus } from './events.ts';
import { allocatedPorts, healthy, type Instance, type Task, type TaskState } from './instance.ts';
import type { JsonObject } from './json.ts';

export function announceState(events: EventBus, instance: Instance, task: Task, message: string): void {
  const { agent, spec } = instance;
  events.publish('status_update_event', {
    slaveId: agent.id,
    taskId: task.id,
    taskStatus: task.state,
    message,
    appId: spec.id,
    host: agent.hostname,
    ipAddresses: task.state === 'TASK_STAGING' ? [] : task.ipAddresses,
    ports: allocatedPorts(task),
    version: spec.version,
  });
  events.publish('instance_changed_event', {
    instanceId: instance.id,
    condition: conditionOf(task.state),
    runSpecId: spec.id,
    agentId: agent.id,
    host: agent.hostname,
    runSpecVersion: spec.version,
  });
}

export function announceHealth(events: EventBus, instance: Instance, task: Task): void {
  const { id: appId, version } = instance.spec;
  if (task.health.size > 0) {
    const alive = [...task.health.values()].every((result) => result.alive);
    events.publish('health_status_changed_event', { appId, instanceId: instance.id, version, alive });
  }
  events.publish('instance_health_changed_event', {
    instanceId: instance.id,
    runSpecId: appId,
    runSpecVersion: version,
    healthy: task.health.size === 0 ? null : healthy(task),
  });
}

export function announceFailedCheck(events: EventBus, instance: Instance, check: JsonObject): void {
  const fields = { appId: instance.spec.id, instanceId: instance.id, healthCheck: check };
  events.publish('failed_health_check_event', fields);
}

export function announceUnhealthyKill(events: EventBus, instance: Instance, task: Task): void {
  events.publish('unhealthy_instance_kill_event', {
    appId: instance.spec.id,
    taskId: task.id,
    instanceId: instance.id,
    version: instance.spec.version,
    reason: 'the health check failed too often',
    host: instance.agent.hostname,
    slaveId: instance.agent.id,
  });
}

/** `TASK_RUNNING` -> `Running`. */
function conditionOf(state: TaskState): string {
  const word = state.replace('TASK_', '').toLowerCase();
  return word.charAt(0).toUpperCase() + word.slice(1);
}
