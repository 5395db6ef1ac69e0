// Takes the token of the link out of the address, so that no history has it, and sends it with the
// password that is chosen to the endpoint of the page: an invitation or a reset.
"use strict";

const ENDPOINTS = { invitation: "invitation/accept", reset: "password/reset/confirm" };

const token = location.hash.slice(1);
const page = location.pathname.split("/").pop();
const form = document.getElementById("form");
const message = document.getElementById("message");
history.replaceState(null, "", location.pathname);

async function save(password) {
  const response = await fetch(`../api/v1/auth/${ENDPOINTS[page]}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ token, new_password: password }),
  });
  if (response.ok) {
    form.hidden = true;
    return "Your password is set. You can log in now.";
  }
  return (await response.json()).detail;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const [first, second] = ["first", "second"].map((id) => document.getElementById(id).value);
  if (first !== second) {
    message.textContent = "The two are not the same.";
    return;
  }
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    message.textContent = await save(first);
  } catch {
    message.textContent = "The server does not answer; try again.";
  } finally {
    button.disabled = false;
  }
});

if (!token) {
  form.hidden = true;
  message.textContent = "This address is not complete: open the link as it was sent.";
}
