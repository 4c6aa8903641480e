"""make book: course/ as HTML, one page a chapter of SUMMARY.md.

    book.py OUT

The same folder is a book for mdBook (course/book.toml), which Debian has not.
"""

import html
import os
import pathlib
import re
import shutil
import sys

import markdown

COURSE = pathlib.Path(__file__).resolve().parent.parent / "course"
STYLE = """body { max-width: 50em; margin: 2em auto; padding: 0 1em;
font-family: serif; line-height: 1.45 } nav { font-family: sans-serif;
font-size: 90% } pre { background: #f3f3f3; padding: .6em; overflow-x: auto }
table { border-collapse: collapse } td, th { border: 1px solid #bbb;
padding: .2em .5em; text-align: left; vertical-align: top } img { max-width:
100% } @media print { nav { display: none } }"""
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<style>{style}</style></head><body>
<nav>{before} <a href="{up}SUMMARY.html">contents</a> {after}</nav>
{body}
</body></html>
"""


def chapters():
    """(title, path below course/) in the order of SUMMARY.md."""
    return re.findall(r"\[([^]]+)\]\(([^)]+\.md)\)",
                      (COURSE / "SUMMARY.md").read_text())


def target_of(found, source, page):
    """A link of @source, as it must be in @page: to another page of the book,
    or to the file of the tree."""
    path, mark, anchor = found[1].partition("#")
    file = (source.parent / path).resolve()
    if re.match(r"[a-z]+:", path) or not path:
        return found[0]
    if file.is_relative_to(COURSE):
        return f'href="{path.removesuffix(".md") + ".html"}{mark}{anchor}"' \
            if path.endswith(".md") else found[0]
    return f'href="{os.path.relpath(file, page.parent)}{mark}{anchor}"'


def to_html(source, page):
    body = markdown.markdown(source.read_text(), extensions=["tables", "toc"])
    return re.sub(r'href="([^"]*)"',
                  lambda found: target_of(found, source, page), body)


def link(chapter, up, word):
    if not chapter:
        return ""
    title, path = chapter
    return (f'<a href="{up}{path[:-3]}.html">{word}: '
            f"{html.escape(title)}</a>")


def write_page(out, list_of, number):
    title, path = list_of[number]
    up = "../" * (len(pathlib.PurePath(path).parts) - 1)
    before = list_of[number - 1] if number else None
    after = list_of[number + 1] if number + 1 < len(list_of) else None
    page = out / pathlib.PurePath(path).with_suffix(".html")
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(PAGE.format(
        title=html.escape(title), style=STYLE, up=up,
        before=link(before, up, "before"), after=link(after, up, "next"),
        body=to_html(COURSE / path, page.resolve())))
    for figure in (COURSE / path).parent.glob("*.svg"):
        shutil.copyfile(figure, page.parent / figure.name)


def main():
    out = pathlib.Path(sys.argv[1])
    shutil.rmtree(out, ignore_errors=True)
    found = [*chapters()]
    for number in range(len(found)):
        write_page(out, found, number)
    contents = out / "SUMMARY.html"
    contents.write_text(PAGE.format(
        title="Contents", style=STYLE, up="", before="", after="",
        body=to_html(COURSE / "SUMMARY.md", contents.resolve())))
    print(f"{out}/README.html: {len(found)} pages")


if __name__ == "__main__":
    main()
