import type { VNode } from 'preact';
import { loadBalanced } from '../editing.ts';
import { type EndpointForm, NEW_VIP, type ServiceForm, type VipForm } from '../model.ts';
import type { FieldErrors } from '../validate.ts';
import { Check, Errors, fieldId, TextField } from './field.tsx';
import { Vip } from './vip.tsx';

interface EndpointProps {
  readonly endpoint: EndpointForm;
  readonly index: number;
  readonly form: ServiceForm;
  readonly errors: FieldErrors;
  readonly change: (endpoint: EndpointForm) => void;
  readonly remove: () => void;
}

/** One service endpoint. */
export function Endpoint({ endpoint, index, form, errors, change, remove }: EndpointProps): VNode {
  const at = `endpoints.${index}`;
  const { mode } = form;
  const put = (part: Partial<EndpointForm>) => change({ ...endpoint, ...part });
  const errorsOf = (field: string) => errors.get(`${at}.${field}`);
  const putVip = (position: number, vip: VipForm | null) =>
    put({
      vips: endpoint.vips.flatMap((one, other) => (other !== position ? [one] : vip === null ? [] : [vip])),
    });
  const bound = mode !== 'virtual' || endpoint.mapped;
  return (
    <fieldset class="endpoint">
      <legend>{`Endpoint ${index + 1}${endpoint.name === '' ? '' : `: ${endpoint.name}`}`}</legend>
      <div class="fields">
        <TextField
          field={`${at}.name`}
          label="Name"
          value={endpoint.name}
          change={(name) => put({ name })}
          errors={errorsOf('name')}
        />
        {mode !== 'host' && (
          <TextField
            field={`${at}.containerPort`}
            label="Container port"
            number
            value={endpoint.containerPort}
            change={(containerPort) => put({ containerPort })}
            errors={errorsOf('containerPort')}
          />
        )}
        {bound && (
          <HostPort endpoint={endpoint} index={index} form={form} put={put} errors={errorsOf('hostPort')} />
        )}
        {bound && <Protocol at={at} endpoint={endpoint} put={put} errors={errorsOf('protocol')} />}
      </div>
      {mode === 'virtual' && (
        <Check
          field={`${at}.mapped`}
          label="Port mapping: publish on the host"
          checked={endpoint.mapped}
          change={(mapped) => put({ mapped })}
        />
      )}
      <Check
        field={`${at}.balanced`}
        label="Load balanced"
        checked={endpoint.vips.length > 0}
        change={(on) => put({ vips: loadBalanced(on) })}
      />
      {endpoint.vips.map((vip, position) => (
        <Vip
          key={position}
          vip={vip}
          at={`${at}.vips.${position}`}
          endpoint={endpoint}
          form={form}
          errors={errors}
          only={endpoint.vips.length === 1}
          change={(next) => putVip(position, next)}
          remove={() => putVip(position, null)}
        />
      ))}
      <div class="actions">
        {endpoint.vips.length > 0 && (
          <button type="button" onClick={() => put({ vips: [...endpoint.vips, NEW_VIP] })}>
            + Add another address
          </button>
        )}
        <button type="button" class="plain" aria-label={`Remove endpoint ${index + 1}`} onClick={remove}>
          Remove endpoint
        </button>
      </div>
    </fieldset>
  );
}

type Put = (part: Partial<EndpointForm>) => void;

interface HostPortProps {
  readonly endpoint: EndpointForm;
  readonly index: number;
  readonly form: ServiceForm;
  readonly put: Put;
  readonly errors: readonly string[] | undefined;
}

function HostPort({ endpoint, index, form, put, errors }: HostPortProps): VNode {
  const host = form.mode === 'host';
  const automatic = host ? form.automatic : endpoint.automatic;
  const field = `endpoints.${index}.hostPort`;
  return (
    <div class="pair">
      <TextField
        field={field}
        label="Host port"
        number
        value={automatic ? '' : endpoint.hostPort}
        disabled={automatic}
        placeholder={automatic ? `$PORT${index}` : ''}
        change={(hostPort) => put({ hostPort })}
        errors={errors}
        help={`The service gets it as $PORT${index}.`}
      />
      {!host && (
        <Check
          field={`${field}-automatic`}
          label="Assign automatically"
          checked={endpoint.automatic}
          change={(on) => put({ automatic: on })}
        />
      )}
    </div>
  );
}

interface ProtocolProps {
  readonly at: string;
  readonly endpoint: EndpointForm;
  readonly put: Put;
  readonly errors: readonly string[] | undefined;
}

function Protocol({ at, endpoint, put, errors = [] }: ProtocolProps): VNode {
  const id = `${fieldId(at)}-protocol-error`;
  return (
    <fieldset class="field protocol" aria-describedby={errors.length > 0 ? id : undefined}>
      <legend>Protocol</legend>
      <Check field={`${at}.tcp`} label="TCP" checked={endpoint.tcp} change={(tcp) => put({ tcp })} />
      <Check field={`${at}.udp`} label="UDP" checked={endpoint.udp} change={(udp) => put({ udp })} />
      <Errors id={id} errors={errors} />
    </fieldset>
  );
}
