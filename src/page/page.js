'use strict';
// Fills in what a newer view says, by the marks that src/page/template.rs describes. Everything is text.
(() => {
  const $ = id => document.getElementById(id);
  const at = (view, key) => key.split('.').reduce((value, part) => value?.[part], view);
  const marked = (root, mark, item) =>
    [...(item?.matches(mark) ? [item] : []), ...root.querySelectorAll(mark)]
      .filter(it => it.closest('[data-item]') === item);

  function fill(root, view, item) {
    for (const it of marked(root, '[data-t]', item)) {
      const text = String(at(view, it.dataset.t) ?? '');
      if (it.textContent !== text) it.textContent = text;
    }
    for (const it of marked(root, '[data-a]', item))
      for (const pair of it.dataset.a.split(' ')) {
        const end = pair.lastIndexOf(':'), name = pair.slice(0, end);
        const value = at(view, pair.slice(end + 1)) ?? false;
        if (value === false) it.removeAttribute(name);
        else if (it.getAttribute(name) !== String(value === true ? '' : value))
          it.setAttribute(name, value === true ? '' : value);
      }
    for (const list of marked(root, '[data-each]', item)) {
      const items = at(view, list.dataset.each) ?? [], template = list.querySelector('template');
      // What came with the page has no marks.
      if (!list.ours) list.replaceChildren(template);
      list.ours = true;
      while (list.children.length - 1 > items.length) list.lastElementChild.remove();
      while (list.children.length - 1 < items.length) list.append(template.content.firstElementChild.cloneNode(true));
      items.forEach((each, i) => fill(list.children[i + 1], each, list.children[i + 1]));
    }
    for (const copy of root.querySelectorAll('.copy[hidden]')) copy.hidden = false;
  }

  let generation, asking, stream, retry;
  function show(view) {
    // The program behind the page is another by now, and so is the page.
    if (view.version !== document.documentElement.dataset.version) return location.reload();
    const token = document.querySelector('.token');
    const isRenewed = generation !== undefined && view.token.generation > generation;
    token.classList.toggle('renewed', isRenewed);
    generation = view.token.generation;
    fill(document, view, null);
    document.title = view.head.state === 'ok' ? 'Gatestone' : `${view.head.title} – Gatestone`;
  }
  const say = text => { $('live').hidden = false; if ($('live').textContent !== text) $('live').textContent = text; };
  // Also for those who do not see it.
  const warn = text => { if ($('live').textContent !== text) $('said').textContent = text; say(text); };

  async function ask() {
    try {
      const answer = await fetch('/-/status?page', {cache: 'no-store'});
      if (answer.status === 401 || answer.status === 403) return warn('Not let in any more: reload this page to see why');
      if (!answer.ok) return warn(`Gatestone answers ${answer.status}: what is below is old`);
      show(await answer.json());
      say('Live, by asking');
    } catch {
      warn('Gatestone does not answer: is it still running?');
    }
  }
  function watch() {
    if (stream || document.hidden) return;
    stream = new EventSource('/-/events');
    stream.onmessage = event => {
      clearInterval(asking);
      asking = undefined;
      show(JSON.parse(event.data));
      say('Live');
    };
    stream.onerror = () => {
      asking ??= (ask(), setInterval(ask, 3000));
      // Refused, or not let through: what is asked for now and then tells as much. Later it may be otherwise.
      if (stream?.readyState === EventSource.CLOSED) { rest(); retry = setTimeout(watch, 30000); }
    };
  }
  function rest() {
    clearTimeout(retry);
    stream?.close();
    stream = undefined;
  }
  // A browser has few connections to one host: a page that nobody sees takes none.
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) return watch();
    rest();
    clearInterval(asking);
    asking = undefined;
  });
  addEventListener('pagehide', rest);
  addEventListener('pageshow', watch);

  document.addEventListener('click', async event => {
    const copy = event.target.closest('.copy');
    if (!copy) return;
    const line = copy.previousElementSibling;
    try {
      await navigator.clipboard.writeText(line.textContent);
      copy.textContent = 'Copied';
      $('said').textContent = 'Copied.';
    } catch {
      getSelection().selectAllChildren(line);
      copy.textContent = 'Selected';
      $('said').textContent = 'The line is selected. Copy it by the keyboard.';
    }
    setTimeout(() => { copy.textContent = 'Copy'; $('said').textContent = ''; }, 2000);
  });

  for (const copy of document.querySelectorAll('.copy')) copy.hidden = false;
  watch();
})();
