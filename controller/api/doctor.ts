import { type DoctorDocument, doctorDocument } from '../doctor/document.ts';
import type { Clock } from '../ports.ts';
import type { StatusDocument } from '../status/document.ts';
import { cached } from './cached.ts';
import { ok, refused } from './descriptions.ts';
import { json, unavailable } from './route.ts';
import { endpoint, type Services } from './services.ts';

/** Runs the checks of this host, with its status. */
export type Doctor = (status: StatusDocument) => Promise<DoctorDocument>;

/** The checks run at most this often: they read some hundred files. */
const MIN_INTERVAL_MS = 10_000;

/** Limits how often `doctor` runs. */
export function createExamine(
  doctor: Doctor,
  status: () => Promise<StatusDocument>,
  clock: Pick<Clock, 'monotonic'>,
): NonNullable<Services['examine']> {
  return cached(async () => doctor(await status()), MIN_INTERVAL_MS, clock);
}

export const DOCTOR = endpoint({
  id: 'doctor',
  summary: 'Checks this host and returns its problems, each with the command that fixes it',
  answers: [ok({ Doctor: doctorDocument }), refused(503, 'The checks are disabled, or took too long.')],
  answer: async ({ examine }) =>
    examine === undefined
      ? unavailable('host checks are disabled on this controller')
      : json(await examine()),
});
