/** The buttons that disturb the run. */
import { byId, setText } from './elements.js';

/** Buttons are dimmed rather than disabled, so that the keyboard does not lose its place. */
export function createControls() {
  const buttons = [...byId('controls').querySelectorAll('button')];
  let isReady = false;
  let place = null;

  /** Resolves when it is done or refused; what came of it is told below the buttons. */
  const press = async (control, body) => {
    if (!isReady) {
      setText(byId('done'), 'The run is not live.');
      return;
    }
    try {
      const response = await fetch(`/controls/${control}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      const { done, error } = await response.json();
      setText(byId('done'), done ?? error);
    } catch {
      setText(byId('done'), 'The run does not answer.');
    }
  };

  const refresh = () => {
    for (const button of buttons) {
      const { control } = button.dataset;
      const isBusy = control === 'deployment' && place?.deploying === true;
      button.setAttribute('aria-disabled', String(!isReady || isBusy));
      if (control === 'outage') button.setAttribute('aria-pressed', String(place?.outage === true));
      if (control === 'failing-action') button.setAttribute('aria-pressed', String(place?.failsNext === true));
    }
  };

  for (const button of buttons) {
    button.addEventListener('click', () => {
      const { control, count } = button.dataset;
      const isToggle = button.hasAttribute('aria-pressed');
      const body = isToggle ? { on: button.getAttribute('aria-pressed') !== 'true' } : { count: Number(count ?? 0) };
      void press(control, body);
    });
  }
  refresh();
  return {
    press,
    setReady(ready) {
      isReady = ready;
      refresh();
    },
    show(next) {
      place = next;
      refresh();
    },
  };
}
