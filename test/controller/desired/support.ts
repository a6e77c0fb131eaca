import { parsePool } from '../../../controller/desired/pool.ts';
import { createTranslator, type Translate } from '../../../controller/desired/translate.ts';
import type { TranslationRules } from '../../../controller/desired/translation-rules.ts';
import type { App } from '../../../controller/model/app.ts';
import type { Desired } from '../../../controller/model/desired.ts';
import type { NameMemory } from '../../../controller/model/name-memory.ts';
import { nothingRemembered, snapshot } from '../../support/builders.ts';

/** DC/OS's zone and pools. */
export const RULES: TranslationRules = {
  zone: 'l4lb.thisdcos.directory',
  pools: { ipv4: parsePool('11.0.0.0/8'), ipv6: parsePool('fd01:c::/64') },
};

/** A translator with DC/OS's zone and pools. */
export function translator(rules: Partial<TranslationRules> = {}): Translate {
  return createTranslator({ ...RULES, ...rules });
}

/** What a new translator makes of these apps when nothing is remembered. */
export function translate(...apps: readonly App[]): Desired {
  return translator()(snapshot(...apps), nothingRemembered);
}

/** Passes one after the other through one translator, each with the memory of the one before. */
export function passes(rules: Partial<TranslationRules> = {}): (...apps: readonly App[]) => Desired {
  const next = translator(rules);
  let memory: NameMemory = nothingRemembered;
  return (...apps) => {
    const desired = next(snapshot(...apps), memory);
    memory = desired.memory;
    return desired;
  };
}

/** `tcp/11.0.0.1:80 wlc -> 10.0.0.1:31000 w1 10.0.0.2:31000 w0`, a line for each service. */
export function lines({ services }: Desired): readonly string[] {
  return [...services].map(([key, { scheduler, persistenceSeconds, backends }]) => {
    const persistence = persistenceSeconds === 0 ? '' : ` -p ${persistenceSeconds}`;
    const targets = [...backends].map(([where, { weight }]) => ` ${where} w${weight}`).sort();
    return `${key} ${scheduler}${persistence} ->${targets.join('')}`;
  });
}
