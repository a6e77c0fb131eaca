import { APPS } from './apps.ts';
import { DEPLOYMENT } from './deployments.ts';
import { DOCTOR } from './doctor.ts';
import { EVENTS } from './events.ts';
import { HEALTH } from './health.ts';
import { PAGE } from './page/page.ts';
import { METRICS, type Route } from './route.ts';
import { route, type Services } from './services.ts';
import { DIFF, HISTORY, STATUS, VIPS } from './state.ts';
import { WHY } from './why.ts';

/** Every route. The server serves this list, and the OpenAPI description is generated from it. */
// biome-ignore format: aligned table
export const ROUTES: readonly Route<Services>[] = [
  route('GET',    '/',                     'none',  PAGE.shell),
  route('GET',    '/assets/{file}',        'none',  PAGE.file),
  route('GET',    '/livez',                'none',  HEALTH.livez),
  route('GET',    '/readyz',               'none',  HEALTH.readyz),
  route('GET',    '/healthz',              'none',  HEALTH.healthz),
  route('GET',    '/metrics',              'read',  METRICS),
  route('GET',    '/v1/status',            'read',  STATUS),
  route('GET',    '/v1/doctor',            'read',  DOCTOR),
  route('GET',    '/v1/why',               'read',  WHY),
  route('GET',    '/v1/vips',              'read',  VIPS),
  route('GET',    '/v1/diff',              'read',  DIFF),
  route('GET',    '/v1/history',           'read',  HISTORY),
  route('GET',    '/v1/events',            'read',  EVENTS),
  route('GET',    '/v1/apps',              'write', APPS.list),
  route('POST',   '/v1/apps',              'write', APPS.create),
  route('GET',    '/v1/apps/{id}',         'write', APPS.read),
  route('PUT',    '/v1/apps/{id}',         'write', APPS.replace),
  route('DELETE', '/v1/apps/{id}',         'write', APPS.remove),
  route('GET',    '/v1/deployments/{id}',  'write', DEPLOYMENT),
];
