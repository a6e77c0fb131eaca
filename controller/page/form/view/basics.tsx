import type { VNode } from 'preact';
import type { ServiceForm } from '../model.ts';
import type { FieldErrors } from '../validate.ts';
import { TextField } from './field.tsx';

interface BasicsProps {
  readonly form: ServiceForm;
  readonly change: (form: ServiceForm) => void;
  readonly errors: FieldErrors;
  /** The id of an existing app cannot be edited: another id would be another app. */
  readonly isNew: boolean;
}

/** The fields of a service besides its network. */
export function Basics({ form, change, errors, isNew }: BasicsProps): VNode {
  const put = (part: Partial<ServiceForm>) => change({ ...form, ...part });
  return (
    <fieldset>
      <legend>Service</legend>
      <div class="fields">
        <TextField
          field="id"
          label="Service ID"
          value={form.id}
          disabled={!isNew}
          wide
          change={(id) => put({ id })}
          errors={errors.get('id')}
        />
        <TextField
          field="instances"
          label="Instances"
          number
          value={form.instances}
          change={(instances) => put({ instances })}
          errors={errors.get('instances')}
        />
        <TextField
          field="cpus"
          label="CPUs"
          number
          value={form.cpus}
          change={(cpus) => put({ cpus })}
          errors={errors.get('cpus')}
        />
        <TextField
          field="mem"
          label="Memory (MiB)"
          number
          value={form.mem}
          change={(mem) => put({ mem })}
          errors={errors.get('mem')}
        />
        <TextField
          field="cmd"
          label="Command"
          value={form.cmd}
          wide
          change={(cmd) => put({ cmd })}
          errors={errors.get('cmd')}
        />
        <TextField
          field="image"
          label="Container image"
          value={form.image}
          wide
          change={(image) => put({ image })}
          errors={errors.get('image')}
        />
      </div>
    </fieldset>
  );
}
