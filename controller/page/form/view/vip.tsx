import type { VNode } from 'preact';
import { facts } from '../../facts.ts';
import { Copy } from '../../view/copy.tsx';
import { shownAddress } from '../address.ts';
import { absoluteId, type EndpointForm, type ServiceForm, type VipForm } from '../model.ts';
import type { FieldErrors } from '../validate.ts';
import { defaultPort, vipValue } from '../write.ts';
import { TextField } from './field.tsx';

interface VipProps {
  readonly vip: VipForm;
  /** Prefix of its fields in the list of errors. */
  readonly at: string;
  readonly endpoint: EndpointForm;
  readonly form: ServiceForm;
  readonly errors: FieldErrors;
  /** Whether it is the endpoint's only address, which the checkbox removes. */
  readonly only: boolean;
  readonly change: (vip: VipForm) => void;
  readonly remove: () => void;
}

/** One address of an endpoint; the resulting service address is shown while the user types. */
export function Vip({ vip, at, endpoint, form, errors, only, change, remove }: VipProps): VNode {
  const id = absoluteId(form.id);
  const fallback = defaultPort(endpoint, form.mode, form.automatic);
  const shown = shownAddress(vipValue(vip, id, fallback), facts);
  const put = (part: Partial<VipForm>) => change({ ...vip, ...part, given: null });
  return (
    <div class="vip">
      <div class="fields">
        <TextField
          field={`${at}.name`}
          label="Address name"
          value={vip.name ?? ''}
          placeholder={id}
          wide
          change={(name) => put({ name: name === '' ? null : name })}
          errors={errors.get(`${at}.name`)}
          help="A name or an IP address; empty for the id of the service."
        />
        <TextField
          field={`${at}.port`}
          label="LB port"
          number
          value={vip.port}
          placeholder={fallback === '0' ? '' : fallback}
          change={(port) => put({ port })}
          errors={errors.get(`${at}.port`)}
        />
      </div>
      <p class="service-address">
        Service address:{' '}
        <output>
          {shown === null ? 'none: the name has no letter or digit, or is too long' : <code>{shown}</code>}
        </output>
        {shown !== null && !shown.endsWith('>') && <Copy text={shown} what="service address" />}
        {!only && (
          <button type="button" class="plain" onClick={remove}>
            Remove this address
          </button>
        )}
      </p>
    </div>
  );
}
