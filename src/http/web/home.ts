/** The first page: what this is, and the commands to begin with, ready to be pasted. */

/** The page of a server that clients reach at `publicUrl` (without a trailing slash). */
export function homePage(publicUrl: string): string {
  const url = escapeHtml(publicUrl)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Holdfast</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<main>
<h1>Holdfast</h1>
<p>A model hub that this team runs itself. Every model, dataset and app is a versioned Git repository with large files in
Git LFS, and every file of every commit has an address that never changes.</p>

<h2>1. An account</h2>
<p>Who runs this server makes it, and a token:</p>
<pre><code>holdfast user create ada --admin
holdfast token create ada --role write</code></pre>

<h2>2. A repository</h2>
<pre><code>export HF_TOKEN=hf_…
curl -H "Authorization: Bearer $HF_TOKEN" --json '{"name": "first-model"}' \\
  ${url}/api/repos/create</code></pre>

<h2>3. Clone and push</h2>
<p>Git asks for a user name and a password: the token is the password.</p>
<pre><code>git lfs install
git clone ${url}/ada/first-model
cd first-model
cp …/model.safetensors .
git add . &amp;&amp; git commit -m "Add the weights" &amp;&amp; git push</code></pre>

<h2>4. Pin it</h2>
<p>By the id of any commit, for good:</p>
<pre><code>curl -LO -H "Authorization: Bearer $HF_TOKEN" \\
  ${url}/ada/first-model/resolve/$(git rev-parse HEAD)/model.safetensors</code></pre>
<p>Clients of the Hugging Face Hub take this server with <code>export HF_ENDPOINT=${url}</code>.</p>
</main>
</body>
</html>
`
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)
}
