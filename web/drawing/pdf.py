"""Pages of a PDF."""

import io
from collections.abc import Iterator

import pypdfium2  # type: ignore[import-untyped]  # ships no types
from PIL import Image

from web.drawing.job import Job, NotDrawable


def draw(file: io.RawIOBase, job: Job) -> Image.Image:
    """Draw a page as Read saw it: its CropBox, turned by its /Rotate, or whatever else has that page's shape.

    Raises NotDrawable.
    """
    try:
        document = pypdfium2.PdfDocument(file)
        try:
            if job.page > len(document):
                raise NotDrawable(f"The file has {len(document)} pages.")
            document.init_forms()  # otherwise the filled-in fields of a form are not drawn
            page = next(_of_the_right_shape(document, job), None)
            if page is None:
                raise NotDrawable("The file's page has a different shape from the page that Read saw.")
            scale = job.scale(*page.get_size())
            image: Image.Image = page.render(scale=scale, rev_byteorder=True, maybe_alpha=False).to_pil()
            return image.convert("RGB")
        finally:
            document.close()
    except pypdfium2.PdfiumError as error:
        raise NotDrawable(f"The PDF cannot be opened ({error}).") from None


def _of_the_right_shape(document: pypdfium2.PdfDocument, job: Job) -> Iterator[pypdfium2.PdfPage]:
    """The page, with each box and rotation that gives it the shape of the page that Read saw."""
    page = document[job.page - 1]
    crop, media, rotation = page.get_cropbox(), page.get_mediabox(), page.get_rotation()
    for box, turned in ((crop, True), (media, True), (crop, False), (media, False)):
        # Boxes and rotation take effect when a page is loaded.
        page.set_cropbox(*box)
        page.set_rotation(rotation if turned else 0)
        page.close()
        page = document[job.page - 1]
        if job.fits(*page.get_size()):
            yield page
