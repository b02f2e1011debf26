// Handles the wheel, the pointer and the keys on a timeline, and the tooltip for what is under the pointer.
import { el } from './dom.js';
import { COLUMN, countAt } from './draw.js';
import { grouped } from './format.js';
import { OVERVIEW } from './frame.js';

/** @typedef {import('./timeline.js').Timeline} Timeline */

/** @param {Timeline} timeline */
export function listen(timeline) {
  const { canvas, view } = timeline;
  // Once the picture has moved, the item that the tooltip describes is no longer under the pointer.
  const moved = () => (timeline.tip.hidden = true);
  canvas.addEventListener('focus', () => (timeline.held = true));
  canvas.addEventListener('blur', () => (timeline.held = false));
  canvas.addEventListener(
    'wheel',
    (event) => {
      if (event.offsetX < timeline.left) return;
      if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        event.preventDefault();
        moved();
        view.pan((event.deltaX || event.deltaY) / 1200);
      } else if (event.ctrlKey || event.metaKey || timeline.held) {
        event.preventDefault();
        moved();
        view.zoom(
          Math.exp(Math.min(Math.max(event.deltaY, -240), 240) / 400),
          timeline.placeOf(event.offsetX),
        );
      }
    },
    { passive: false },
  );
  /** @type {{ x: number, from: number, to: number, moved: boolean, overview: boolean, selects: boolean } | null} */
  let grip = null;
  const toOverview = (/** @type {number} */ x) => {
    const middle = view.min + ((x - timeline.left) / timeline.width) * (view.max - view.min);
    const half = (view.to - view.from) / 2;
    view.show(middle - half, middle + half);
  };
  canvas.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    const overview = event.offsetY < OVERVIEW;
    grip = {
      x: event.offsetX,
      from: view.from,
      to: view.to,
      moved: false,
      overview,
      selects: event.shiftKey && !overview,
    };
    if (overview && event.offsetX >= timeline.left) toOverview(event.offsetX);
  });
  canvas.addEventListener('pointermove', (event) => {
    if (grip === null) {
      hover(timeline, event);
      return;
    }
    moved();
    if (Math.abs(event.offsetX - grip.x) > 3) grip.moved = true;
    if (!grip.moved || grip.x < timeline.left) return;
    if (grip.overview) toOverview(event.offsetX);
    else if (grip.selects) {
      const [a, b] = [timeline.placeOf(grip.x), timeline.placeOf(event.offsetX)];
      view.range = [Math.max(Math.min(a, b), view.from), Math.min(Math.max(a, b), view.to)];
      view.changed();
    } else {
      const by = ((grip.x - event.offsetX) / timeline.width) * (grip.to - grip.from);
      view.show(grip.from + by, grip.to + by);
    }
  });
  canvas.addEventListener('pointerup', (event) => {
    moved();
    if (grip !== null && !grip.moved && !grip.overview) timeline.click(event.offsetX, event.offsetY);
    grip = null;
  });
  canvas.addEventListener('pointerleave', moved);
  canvas.addEventListener('dblclick', (event) => {
    if (event.offsetX >= timeline.left) view.zoom(event.shiftKey ? 4 : 0.25, timeline.placeOf(event.offsetX));
  });
  canvas.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (!timeline.key(event.key)) return;
    event.preventDefault();
    moved();
  });
}

/** @param {Timeline} timeline @param {PointerEvent} event */
function hover(timeline, event) {
  const { tip, model } = timeline;
  const { found, hit } = timeline.at(event.offsetX, event.offsetY);
  if (found === undefined || (event.offsetX < timeline.left && !found.lane.group)) {
    tip.hidden = true;
    return;
  }
  if (event.offsetX < timeline.left) tip.replaceChildren(`${found.lane.label}: click to open or close`);
  else if (hit !== undefined) {
    const { title, rows, steps } = model.describe(hit.of.kind, hit.of.rows[hit.k]);
    tip.replaceChildren(
      el('b', {}, title),
      ...rows.map(([name, value]) => el('div', {}, `${name}: ${value}`)),
      ...steps.map(({ name, moment }) => el('div', {}, `${name}: ${model.placeText(moment)}`)),
    );
  } else if (found.dense && timeline.scene) {
    const x = timeline.left + Math.floor((event.offsetX - timeline.left) / COLUMN) * COLUMN;
    const counts = countAt(timeline.scene, found.lane, x, x + COLUMN);
    if (counts.length === 0) {
      tip.hidden = true;
      return;
    }
    const n = counts.reduce((sum, one) => sum + one.n, 0);
    tip.replaceChildren(
      el('b', {}, `${grouped(n)} begin here`),
      ...counts.map((one) => el('div', {}, `${grouped(one.n)} ${one.name}`)),
      el('div', {}, 'click to zoom'),
    );
  } else {
    tip.hidden = true;
    return;
  }
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(4, Math.min(event.clientX + 14, innerWidth - width - 6))}px`;
  tip.style.top = `${event.clientY + 16 + height > innerHeight ? Math.max(4, event.clientY - height - 12) : event.clientY + 16}px`;
}
