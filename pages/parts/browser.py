"""What only a browser can do: remember the last job, copy a link, trade a ticket for a cookie, keep an address over a login."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

_MEMORY = """
export default function ({ data, setStateValue }) {
  const key = "postbench.last." + data.name
  try {
    if (data.forget && localStorage.getItem(key) === data.forget) localStorage.removeItem(key)
    if (data.write) localStorage.setItem(key, data.write)
    else if (data.ask) { const value = localStorage.getItem(key); if (value) setStateValue("value", value) }
  } catch { /* storage is switched off: nothing is remembered */ }
}
"""

_TICKET = """
export default function ({ data }) {
  fetch("/api/session", { method: "POST", credentials: "same-origin", headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ticket: data.ticket }) }).catch(() => {})
}
"""

_DEEP_LINK = """
export default function ({ data }) {
  const key = "postbench.return"
  const here = location.pathname + location.search
  try {
    if (data.keep) { if (here !== "/") sessionStorage.setItem(key, here) ; return }
    const there = sessionStorage.getItem(key)
    sessionStorage.removeItem(key)
    if (there && there !== here && there.startsWith("/") && !there.startsWith("//")) location.replace(there)
  } catch { /* as above */ }
}
"""

_COPY_HTML = """
<button type="button" title="Copy a link to this job">
<svg viewBox="0 0 24 24" width="16" height="16" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round">
<path d="M9.5 14.5l5-5M11 7l1.8-1.8a4.2 4.2 0 0 1 6 6L17 13M13 17l-1.8 1.8a4.2 4.2 0 0 1-6-6L7 11"/></svg>
<span></span></button>
"""
_COPY_CSS = """
button { all: unset; box-sizing: border-box; cursor: pointer; display: inline-flex; align-items: center; gap: 0.5rem;
  height: 2.5rem; padding: 0 0.75rem; border-radius: var(--st-button-radius); border: 1px solid var(--st-border-color);
  font: inherit; font-size: 0.875rem; color: var(--st-text-color); white-space: nowrap; }
button:hover { border-color: var(--st-primary-color); color: var(--st-primary-color); }
button:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
"""
_COPY = """
async function copy(text) {
  if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text)
  const area = document.createElement("textarea")
  area.value = text
  document.body.append(area)
  area.select()
  const done = document.execCommand("copy")
  area.remove()
  if (!done) throw new Error("refused")
}
export default function ({ data, parentElement }) {
  const button = parentElement.querySelector("button")
  const label = button.querySelector("span")
  label.textContent = "Copy link"
  button.dataset.url = data.url
  button.onclick = async () => {
    try { await copy(data.url); label.textContent = "Copied" } catch { prompt("Copy this link", data.url) }
    setTimeout(() => { label.textContent = "Copy link" }, 1500)
  }
}
"""

_CHIPS_HTML = '<div role="group" aria-label="Variables"></div><span role="status"></span>'
_CHIPS_CSS = """
[role=group] { display: flex; flex-wrap: wrap; gap: 0.3rem; }
button { all: unset; cursor: pointer; padding: 0.1rem 0.45rem; border: 1px solid var(--st-border-color); border-radius: 0.35rem;
  font-family: var(--st-code-font, monospace); font-size: 0.76rem;
  line-height: 1.5; color: var(--st-text-color); white-space: nowrap; }
button:hover { border-color: var(--st-primary-color); color: var(--st-primary-color); }
button:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
[role=status] { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
"""
_CHIPS = """
export default function ({ data, parentElement }) {
  const box = parentElement.querySelector("[role=group]")
  const said = parentElement.querySelector("[role=status]")
  const shown = data.texts.join("\\n")
  if (box.dataset.shown === shown) return
  box.dataset.shown = shown
  box.replaceChildren(...data.texts.map((text) => {
    const button = document.createElement("button")
    button.type = "button"
    button.textContent = text
    button.title = "Write it where the caret is; without one it is copied"
    button.onmousedown = (event) => event.preventDefault()  // the caret stays where it is
    button.onclick = async () => {
      const field = document.activeElement
      const fits = field && field.matches("input, textarea") && data.fields.includes(field.getAttribute("aria-label"))
      if (fits && document.execCommand("insertText", false, text)) { said.textContent = text + " written" ; return }
      try { await navigator.clipboard.writeText(text) } catch { prompt("Copy this variable", text) ; return }
      said.textContent = text + " copied"
      button.textContent = "Copied"
      setTimeout(() => { button.textContent = text }, 1200)
    }
    return button
  }))
}
"""

_memory = st.components.v2.component("postbench_memory", js=_MEMORY)
_ticket = st.components.v2.component("postbench_ticket", js=_TICKET)
_deep_link = st.components.v2.component("postbench_deep_link", js=_DEEP_LINK)
_copy = st.components.v2.component("postbench_copy", html=_COPY_HTML, css=_COPY_CSS, js=_COPY)
_chips = st.components.v2.component("postbench_chips", html=_CHIPS_HTML, css=_CHIPS_CSS, js=_CHIPS)


def _unseen(name: str) -> st.delta_generator.DeltaGenerator:
    return st.container(key=f"unseen_{name}")


def remember(page: str, job_id: str) -> None:
    """Make this the last job of the page, in this browser."""
    with _unseen("memory"):
        _memory(key=f"memory_{page}", data={"name": page, "write": job_id})


def recall(page: str) -> str | None:
    """The last job of the page in this browser; None until the browser has answered, or when there is none."""
    with _unseen("memory"):
        answer = _memory(key=f"memory_{page}", data={"name": page, "ask": True}, on_value_change=lambda: None)
    value = answer.get("value")
    return value if isinstance(value, str) and value.isalnum() else None


def forget(page: str, job_id: str) -> None:
    """Drop the last job of the page if it is this one."""
    with _unseen("forget"):
        _memory(key=f"forget_{page}", data={"name": page, "forget": job_id})


def trade(ticket: str) -> None:
    """Let the browser trade a ticket for the session cookie that downloads need."""
    with _unseen("ticket"):
        _ticket(key="ticket", data={"ticket": ticket})


def keep_deep_link() -> None:
    """Note the address, as a login returns to `/`."""
    with _unseen("deep_link"):
        _deep_link(key="deep_link", data={"keep": True})


def return_to_deep_link() -> None:
    """Go to the address noted before the login, if there is one."""
    with _unseen("deep_link"):
        _deep_link(key="deep_link", data={"keep": False})


def copy_link(url: str) -> None:
    """A button that copies an address."""
    _copy(key="copy_link", data={"url": url}, width="content")


def variables(texts: Sequence[str], fields: Sequence[str]) -> None:
    """Buttons that write a text where the caret is, in one of the fields with these labels; elsewhere they copy it."""
    _chips(key="variables", data={"texts": list(texts), "fields": list(fields)})
