"""Builds the site from the pages of the repository as they are.

Pages of other folders appear in the site, links between pages lead to the page in the site,
links to other files of the repository lead to the repository, and entries NAME/* of the
navigation are all pages of a folder. A link that leads nowhere stays as it is: the strict
build reports it.
"""

import posixpath
import re
import shutil
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[2]
MERMAID = "assets/mermaid.js"
DIAGRAMS = ROOT / "tools/site/node_modules/@mermaid-js/tiny/dist/mermaid.tiny.js"

# Pages outside docs/, and their places in the site.
OUTSIDE = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "README.md": "index.md",
    "deploy/README.md": "deployment-files.md",
    "deploy/helm/tvmexport/README.md": "helm-chart.md",
    "emulator/README.md": "emulator-in-go.md",
}

LINK = re.compile(r"\]\(([^)#\s]+)(#[^)\s]*)?\)")


def on_config(config):
    config.nav = expanded(config.nav, Path(config.docs_dir))
    return config


def expanded(nav, docs):
    """The navigation, with the pages of a folder for NAME/*; its list comes first."""
    out = []
    for entry in nav:
        if isinstance(entry, dict):
            out += [{title: expanded(part, docs) if isinstance(part, list) else part} for title, part in entry.items()]
        elif entry.endswith("/*"):
            pages = sorted(docs.glob(entry[:-1] + "*.md"), key=lambda p: (p.name not in ("index.md", "README.md"), p.name))
            title = {"adr": "Decisions", "commands": "Commands"}[entry.split("/")[-2]]
            out.append({title: [p.relative_to(docs).as_posix() for p in pages]})
        else:
            out.append(entry)
    return out


def on_files(files, config):
    for path, name in OUTSIDE.items():
        if name != "index.md":
            files.append(File.generated(config, name, abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown, page, config, files):
    uri = page.file.src_uri
    origin = next((path for path, name in OUTSIDE.items() if name == uri and name != "index.md"), "docs/" + uri)
    fenced = False
    lines = markdown.split("\n")
    for i, line in enumerate(lines):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif not fenced:
            lines[i] = LINK.sub(lambda m: "](" + target(m[1], m[2] or "", origin, uri, config) + ")", line)
    return "\n".join(lines)


def target(link, anchor, origin, uri, config):
    """Where a link of a file leads in the site."""
    if "://" in link or link.startswith("mailto:"):
        return link + anchor
    path = posixpath.normpath(posixpath.join(posixpath.dirname(origin), link))
    name = OUTSIDE.get(path) or (path.removeprefix("docs/") if path.startswith("docs/") and path.endswith(".md") else None)
    if name:
        return posixpath.relpath(name, posixpath.dirname(uri) or ".") + anchor
    if not path.startswith("..") and (ROOT / path).exists():
        return f"{config.repo_url}/blob/main/{path}{anchor}"
    return link + anchor


def on_post_page(output, page, config):
    """Only pages with a diagram load the program that draws it. A wide diagram scrolls."""
    if '<pre class="mermaid">' not in output:
        return output
    output = re.sub(r'<pre class="mermaid">.*?</pre>', r'<div class="diagram" tabindex="0" role="region" aria-label="Diagram">\g<0></div>', output, flags=re.S)
    depth = page.url.count("/")
    return output.replace("</head>", f'<script defer src="{"../" * depth}{MERMAID}"></script></head>', 1)


def on_post_build(config):
    shutil.copyfile(DIAGRAMS, Path(config.site_dir) / MERMAID)
