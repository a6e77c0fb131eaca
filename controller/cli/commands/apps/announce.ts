import type { Config } from '../../../config/config.ts';
import { type ForecastVip, forecast } from '../../../desired/forecast.ts';
import type { Translate } from '../../../desired/translate.ts';
import type { App, Rejection, Snapshot } from '../../../model.ts';
import { plural } from '../../../status/words.ts';
import { type AppPorts, mistakeText, vipsText } from './talk.ts';

/** What an app will be among. */
export interface Surroundings {
  /** Everything that runs there. */
  readonly cluster: Snapshot;
  /** As the controllers on the hosts will translate it. */
  readonly translate: Translate;
}

/** Tells the VIPs that an app will have, and gives them; or what is wrong with it, and gives null. `to`: who would be sent it. */
export function announce(
  app: App,
  { cluster, translate }: Surroundings,
  to: string,
  { output }: Pick<Config, 'output'>,
  ports: AppPorts,
): readonly ForecastVip[] | null {
  const { vips, rejected, warnings } = forecast(app, cluster, translate);
  if (rejected.length > 0) return announceMistakes(rejected, to, ports);
  for (const warning of warnings) ports.printError(`warning: ${warning}`);
  if (output === 'text') ports.print(`${vipsText(vips, ports)}\n`);
  return vips;
}

/** Tells what is wrong, and that therefore nothing was sent. */
export function announceMistakes(
  mistakes: readonly Rejection[],
  to: string,
  ports: Pick<AppPorts, 'printError'>,
): null {
  for (const mistake of mistakes) ports.printError(mistakeText(mistake));
  ports.printError(`nothing was sent to ${to}: ${plural(mistakes.length, 'mistake')}`);
  return null;
}
