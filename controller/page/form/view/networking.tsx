import type { VNode } from 'preact';
import { addEndpoint } from '../editing.ts';
import type { EndpointForm, NetworkMode, ServiceForm } from '../model.ts';
import type { FieldErrors } from '../validate.ts';
import { Endpoint } from './endpoint.tsx';
import { Check, Errors, fieldId, TextField } from './field.tsx';

interface NetworkingProps {
  readonly form: ServiceForm;
  readonly change: (form: ServiceForm) => void;
  readonly errors: FieldErrors;
}

const MODES: readonly (readonly [NetworkMode, string])[] = [
  ['host', 'Host'],
  ['bridge', 'Bridge'],
  ['virtual', 'Virtual network'],
];

/** The fields of DC/OS's Network tab. */
export function Networking({ form, change, errors }: NetworkingProps): VNode {
  return (
    <fieldset class="networking">
      <legend>Networking</legend>
      {form.beyond === null ? (
        <Shown form={form} change={change} errors={errors} />
      ) : (
        <p class="note">{form.beyond}</p>
      )}
    </fieldset>
  );
}

function Shown({ form, change, errors }: NetworkingProps): VNode {
  const put = (key: number, next: EndpointForm | null) => {
    const endpoints = form.endpoints.flatMap((one) =>
      one.key !== key ? [one] : next === null ? [] : [next],
    );
    change({ ...form, endpoints });
  };
  const chooseMode = ({ currentTarget: { value } }: { readonly currentTarget: HTMLSelectElement }) =>
    change({ ...form, mode: MODES.find(([mode]) => mode === value)?.[0] ?? 'host' });
  return (
    <>
      <div class="fields">
        <div class="field">
          <label for={fieldId('mode')}>Network type</label>
          <select id={fieldId('mode')} value={form.mode} onChange={chooseMode}>
            {MODES.map(([mode, text]) => (
              <option value={mode}>{text}</option>
            ))}
          </select>
        </div>
        {form.mode === 'virtual' && (
          <TextField
            field="networkName"
            label="Virtual network"
            value={form.networkName}
            placeholder="dcos"
            change={(networkName) => change({ ...form, networkName })}
            errors={errors.get('networkName')}
          />
        )}
      </div>
      {form.mode === 'host' && (
        <Check
          field="automatic"
          label="Assign host ports automatically"
          checked={form.automatic}
          change={(automatic) => change({ ...form, automatic })}
        />
      )}
      <h3>Service endpoints</h3>
      {form.endpoints.length === 0 && (
        <p class="quiet">No endpoints: the service is not reachable from outside.</p>
      )}
      {form.endpoints.map((endpoint, index) => (
        <Endpoint
          key={endpoint.key}
          endpoint={endpoint}
          index={index}
          form={form}
          errors={errors}
          change={(next) => put(endpoint.key, next)}
          remove={() => put(endpoint.key, null)}
        />
      ))}
      <button type="button" onClick={() => change(addEndpoint(form))}>
        + Add an endpoint
      </button>
      <Errors id="field-endpoints-error" errors={errors.get('endpoints') ?? []} />
    </>
  );
}
