import type { ComponentChildren, VNode } from 'preact';

/** The element id of a field. */
export function fieldId(field: string): string {
  return `field-${field.replaceAll('.', '-')}`;
}

interface TextFieldProps {
  /** Its name in the list of errors. */
  readonly field: string;
  readonly label: string;
  readonly value: string;
  readonly change: (value: string) => void;
  readonly errors?: readonly string[] | undefined;
  readonly help?: ComponentChildren;
  /** Digits only. */
  readonly number?: boolean;
  readonly placeholder?: string;
  readonly disabled?: boolean;
  readonly wide?: boolean;
}

/** A field for text or a number, with its label, help and errors. */
export function TextField(props: TextFieldProps): VNode {
  const { field, label, value, change, errors = [], help, placeholder, disabled = false } = props;
  const id = fieldId(field);
  const described = [errors.length > 0 && `${id}-error`, help != null && `${id}-help`].filter(Boolean);
  return (
    <div class={`field${props.wide === true ? ' wide' : ''}`}>
      <label for={id}>{label}</label>
      <input
        id={id}
        type="text"
        inputmode={props.number === true ? 'numeric' : undefined}
        autocomplete="off"
        spellcheck={false}
        value={value}
        placeholder={placeholder}
        disabled={disabled}
        aria-invalid={errors.length > 0 ? 'true' : undefined}
        aria-describedby={described.length > 0 ? described.join(' ') : undefined}
        onInput={({ currentTarget }) => change(currentTarget.value)}
      />
      {help != null && (
        <span class="quiet" id={`${id}-help`}>
          {help}
        </span>
      )}
      <Errors id={`${id}-error`} errors={errors} />
    </div>
  );
}

export function Errors({
  id,
  errors,
}: {
  readonly id: string;
  readonly errors: readonly string[];
}): VNode | null {
  if (errors.length === 0) return null;
  return (
    <span class="error" id={id}>
      {errors.join(' ')}
    </span>
  );
}

interface CheckProps {
  readonly label: string;
  readonly checked: boolean;
  readonly change: (checked: boolean) => void;
  readonly field?: string;
}

export function Check({ label, checked, change, field }: CheckProps): VNode {
  return (
    <label class="check">
      <input
        id={field === undefined ? undefined : fieldId(field)}
        type="checkbox"
        checked={checked}
        onChange={({ currentTarget }) => change(currentTarget.checked)}
      />
      {label}
    </label>
  );
}
