"""What a person can do about each ErrorCode. docs/errors.md has a heading for each code, which a test checks."""

import re

from shared.document import ROW_EDITED, Document
from shared.read.generation import Generation, ReadOptions
from shared.read.generations import UnknownGeneration, all_generations, generation
from shared.shortcut import is_shortcut
from shared.text import listed

_UPLOAD = "Then upload the file again."
BY_ITSELF = "The app keeps trying by itself."
_NOTHING = "There is nothing for you to do: the app keeps trying by itself."
_FAILED = "This failure is final, and reading the file again is billed again."

_DAMAGED = "InvalidImage InvalidContent 2005"
_FORMAT = "InvalidImageFormat UnsupportedImageFormat NotSupportedImage UnsupportedMediaType UnsupportedContent InvalidContentSourceFormat"
_SIZE = "InvalidImageSize InvalidContentLength"
_LINK = "InvalidImageUrl FailedToDownloadImage ContentSourceNotAccessible ContentSourceTimeout 2003"

_TEXTS = (
    # Before Read is asked
    ("EmptyFile", "Upload the file again; the upload may have broken off."),
    ("UnsafeName", "Rename the file: a part of its path is '.' or '..', which could lead to another file."),
    ("SourceDeleted", "The file was deleted before it was sent to Read. Upload it again if you want it read."),
    ("BlobArchived", f"Move the blob to the hot or cool tier (rehydrate it). {_UPLOAD}"),
    ("CustomerKey", f"The blob is encrypted with a key of your own, which this app does not have. Store it without one. {_UPLOAD}"),
    ("OptionNotSupported", f"Correct or remove the file's metadata, or set another READ_API_VERSION. {_UPLOAD}"),
    ("SubmitCrashed", "Several attempts to send the file to Read ended without an answer, and each may have been billed. See the function's log for the reason; then upload the file again."),
    ("ProcessingFailed", "This is an error of the app. See the function's log; then have the document read again."),
    ("RowEdited", ROW_EDITED),
    # What waiting, or somebody's repair, can help
    ("StorageUnavailable", f"{_NOTHING} See status.azure.com if it lasts."),
    ("StorageRefused", f"Storage refuses the app. Give its identity the role that the message names, or lift the lease, policy or firewall. {BY_ITSELF}"),
    ("Throttled", f"{_NOTHING} If this is frequent, raise the Read resource's quota or tier."),
    ("WaitingForQuota", f"{_NOTHING} To read faster, raise the Read resource's quota or tier, and READ_RATE with it."),
    ("QuotaExhausted", f"The Read resource's quota for the month is used up. {BY_ITSELF} To go on now, move the resource to a paid tier, then have the document read again."),
    ("Unreachable", f"Check READ_ENDPOINT, and that the network lets this app reach it. {BY_ITSELF}"),
    ("AnswerLost", f"Read got the file and did not answer, so this attempt may have been billed. {BY_ITSELF}"),
    ("ReadUnavailable", f"{_NOTHING} See status.azure.com if it lasts."),
    ("ReadServerError", "Read reported an error of its own for this file. The app tries ten times. If that does not help, save the file in another format and upload that."),
    ("CredentialsRefused", f"Check READ_KEY against the resource's keys, and READ_ENDPOINT. {BY_ITSELF}"),
    ("CredentialsUnavailable", f"The app could not get a Microsoft Entra token. Set READ_KEY, or give the app a managed identity with the role Cognitive Services User. {BY_ITSELF}"),
    ("RegionalEndpoint", f"The endpoint of a region takes no Microsoft Entra tokens. Set READ_ENDPOINT to the resource's own, https://NAME.cognitiveservices.azure.com, or set READ_KEY. {BY_ITSELF}"),
    ("RoleMissing", f"Give this app's identity the role Cognitive Services User on the Read resource; a new role takes some minutes to work. {BY_ITSELF}"),
    ("KeysDisabled", f"The Read resource takes no keys. Remove READ_KEY, and give this app's identity the role Cognitive Services User. {BY_ITSELF}"),
    ("FirewallRefused", f"The Read resource's firewall keeps this app out. Let its network in, or connect by a private endpoint. {BY_ITSELF}"),
    ("OutboundAccessForbidden", f"The Read resource may not fetch files from this storage account. Add the account to the resource's allowed outbound addresses, or set SUBMIT_BY=content. {BY_ITSELF}"),
    ("AccessDenied", f"Check the Read resource's firewall and quota, and that this app's identity has the role Cognitive Services User. {BY_ITSELF}"),
    ("EndpointNotFound", "This resource does not speak {version}. Check READ_ENDPOINT and READ_API_VERSION."),
    ("NotReadsAnswer", f"What answers at READ_ENDPOINT is not Read; it may be a proxy or a sign-in page. Check READ_ENDPOINT and the network. {BY_ITSELF}"),
    ("PollRefused", f"Read refuses to say how far the operation is. Check READ_ENDPOINT, and any proxy or gateway between this app and Read. {BY_ITSELF}"),
    # The file
    (_DAMAGED, f"The file is damaged, protected by a password, or of a type that Read does not take. Remove the password, or save the file as {{formats}}. {_UPLOAD}"),
    (_FORMAT, f"Read {{version}} takes {{formats}}. Convert the file; renaming it is not enough. {_UPLOAD}"),
    (_SIZE, f"Read {{version}} takes files of up to {{megabytes}} MB, and of 4 MB on the free tier (F0). Split or shrink the file, or move the resource to a paid tier. {_UPLOAD}"),
    ("InvalidImageDimension InvalidContentDimensions", f"Read {{version}} takes images of 50 × 50 to {{pixels}} × {{pixels}} pixels. Resize the image, or pad a small one. {_UPLOAD}"),
    # Options
    ("NotSupportedLanguage", f"Read {{version}} does not read this language. Correct or remove READ_LANGUAGE, or the file's metadata 'language'. {_UPLOAD}"),
    ("InvalidPageRange", f"The file does not have the pages that READ_PAGES, or its metadata 'pages', asks for. Correct or remove it. {_UPLOAD}"),
    ("InvalidReadingOrder", f"Set READ_READING_ORDER, or the file's metadata 'reading_order', to basic or natural. {_UPLOAD}"),
    ("BadArgument InvalidArgument InvalidParameter InvalidParameterLength ParameterMissing InvalidRequest", f"Correct what the message names: a READ_… setting, the file's metadata, or the file. {_UPLOAD}"),
    ("NotAShortcut", f"A file whose name ends in .url is an Internet shortcut, and Read fetches what it points to. Save it again from a browser, with a URL that begins with http:// or https://, or rename the file if it is something else. {_UPLOAD}"),
    # The file's link, with SUBMIT_BY=url
    (_LINK, f"Read could not fetch the file from storage. Let Read through the storage account's firewall, or set SUBMIT_BY=content. {_UPLOAD}"),
    ("InvalidSasToken", f"Storage refused the link that Read was given. Allow shared access signatures on the storage account, or set SUBMIT_BY=content. {_UPLOAD}"),
    # The operation
    ("Timeout 3013 3018", f"Read took too long over this file. Split the file, then upload its parts. {_FAILED}"),
    ("InternalServerError ServiceUnavailable StorageException FailedToProcess CancelledRequest Unspecified Unknown 3003 3014 OperationFailed OperationCanceled OperationSkipped", f"Read failed, perhaps not because of the file. Upload the file again. If that fails too, save it in another format or split it. {_FAILED}"),
    ("OperationUrlRefused", "READ_ENDPOINT answers with an operation that is not one of Read's; the key was not sent there. Check READ_ENDPOINT."),
    ("OperationExpired", "Read no longer knew the operation. The app submits the file once more. If the document has failed, upload the file again."),
    ("OperationTimedOut", "Read took longer than READ_GIVE_UP_AFTER. Split the file, or raise that setting; then upload it again."),
    ("ResultNotUnderstood", "Read's JSON is not in the form of READ_API_VERSION. Check that setting, then have the document read again. For a day or two, the JSON is also at the row's OperationUrl."),
    # What Read should never answer
    ("Forbidden AuthorizationFailed", f"Read refused this request. Check the roles of the app's identity and of the Read resource's identity. {_UPLOAD}"),
    ("NotFound ModelNotFound OperationNotFound NotSupportedApiVersion MethodNotAllowed Conflict", f"Read did not know what it was asked for. Check READ_ENDPOINT and READ_API_VERSION. {_UPLOAD}"),
    ("DetectFaceError InvalidDetails InvalidModel InvalidThumbnailSize NotSupportedFeature NotSupportedVisualFeature", f"This code is not about reading text. Check that READ_ENDPOINT is Read's own and that no proxy changes the requests. {_UPLOAD}"),
    ("Http4xx", f"Read refused the file and gave no reason. Check the file's type and size, and any proxy or gateway between this app and Read. {_UPLOAD}"),
)  # fmt: skip

ADVICE = {code: text for codes, text in _TEXTS for code in codes.split()}

GENERAL = "Look up this code in Read's documentation, correct the file and upload it again."

_ABOUT_FORMAT = {*_DAMAGED.split(), *_FORMAT.split(), "InvalidRequest", "BadArgument", "FailedToProcess", "Http415"}
_ABOUT_SIZE = {*_SIZE.split(), "Http413"}
_ABOUT_OPTIONS = {"BadArgument", "InvalidArgument", "InvalidParameter", "InvalidRequest"}

_WRONG_TARGET = f"Read could not fetch what the shortcut points to. Check that the URL leads to the file itself, not to a page about it, and opens without a sign-in; or download the file. {_UPLOAD}"

_FORMAT_OF = {"jpg": "JPEG", "jpe": "JPEG", "jfif": "JPEG", "tif": "TIFF", "heic": "HEIF", "hif": "HEIF", "htm": "HTML"}
"""The formats of extensions that are not the format's name."""

_TAKEN_BY_NONE = {"AVIF", "CSV", "DJVU", "DOC", "EML", "EPUB", "GIF", "ICO", "JP2", "JXL", "MSG", "ODP", "ODS", "ODT", "PPT",
                  "PSD", "RTF", "SVG", "TXT", "WEBP", "XLS", "XPS", "ZIP", "XLSM", "DOCM", "PPTM", "PAGES", "NUMBERS", "KEY", "MP4", "MOV"}  # fmt: skip
"""Formats that people drop, and that no version of Read takes."""


def advice_for(code: str, message: str, document: Document) -> str:
    """The advice for an error code, or general advice for an unknown code of Read's.

    The error's ``message``, and the document's name, size and options, make the advice more specific.
    """
    known = "Http4xx" if code not in ADVICE and re.fullmatch(r"Http4\d\d", code) else code
    text = ADVICE.get(known, GENERAL)
    try:
        read = generation(document.api_version or "")
    except UnknownGeneration:  # only before the first attempt to submit
        return text.format(version="this version", formats="PDF", megabytes=50, pixels="10,000")
    return (
        (_wrong_endpoint(read) if code == "EndpointNotFound" else None)
        or (_free_tier(read, message) if code == "Throttled" else None)
        or (_WRONG_TARGET if code in _LINK.split() and is_shortcut(document.name) else None)
        or (_wrong_option(message, document) if code in _ABOUT_OPTIONS else None)
        or (_wrong_format(read, document) if code in _ABOUT_FORMAT else None)
        or (_wrong_size(read, message, document.content_length) if code in _ABOUT_SIZE else None)
        or _filled(text, read)
    )


def _filled(text: str, read: Generation) -> str:
    return text.format(
        version=read.version,
        formats=listed(read.formats, "or"),
        megabytes=read.most_megabytes,
        pixels=f"{read.most_pixels:,}",
    )


def _wrong_endpoint(read: Generation) -> str:
    if read.retired:
        return f"This resource does not speak {read.version}, which was retired on {read.retired}. Set READ_API_VERSION={read.instead}."
    other, instead = (
        ("Document Intelligence", "2024-11-30") if read.service == "Computer Vision" else ("Computer Vision", "v3.2")
    )
    return f"This resource does not speak {read.version}. If it is {other}, set READ_API_VERSION={instead}."


def _free_tier(read: Generation, message: str) -> str | None:
    if not re.search(r"\bF0\b", message):
        return None
    rate = "20/min" if read.service == "Computer Vision" else "1/s,1/s"
    return f"{_NOTHING} The Read resource is on the free tier (F0): set READ_RATE={rate}, or move it to a paid tier."


def _wrong_option(message: str, document: Document) -> str | None:
    """Advice that names the option which the message is about, if the document was submitted with it."""
    words = re.sub(r"[^a-z]", "", message.casefold().replace("locale", "language"))
    for option in ReadOptions.names():
        asked = getattr(document, f"requested_{option}")
        if asked and option.replace("_", "").removesuffix("s") in words:
            return f"Read refused {option} {asked!r} for this file. Correct or remove READ_{option.upper()}, or the file's metadata '{option}'. {_UPLOAD}"
    return None


def _wrong_format(read: Generation, document: Document) -> str | None:
    """Which versions take files of this format, if this one does not. The first bytes tell the format, else the name."""
    extension = document.name.rpartition(".")[2].casefold()
    named = _FORMAT_OF.get(extension, extension.upper())
    kind = document.file_type or named
    if kind in read.formats:
        return None
    what = (
        f"This is a file of the kind {kind}, whatever its name says. "
        if document.file_type not in (None, named)
        else ""
    )
    shown = extension.upper() if kind == named else kind
    takers = [each.version for each in all_generations() if kind in each.formats]
    if takers:
        return f"{what}Read {read.version} takes no {shown} files; Document Intelligence {listed(takers, 'and')} do. Set READ_API_VERSION={takers[-1]} with such a resource, or convert the file to PDF, PNG or JPEG. {_UPLOAD}"
    if document.file_type or kind in _TAKEN_BY_NONE:
        return f"{what}No version of Read takes {shown} files. Convert it to PDF, PNG or JPEG, then upload that."
    return None


def _wrong_size(read: Generation, message: str, length: int | None) -> str | None:
    """Advice that says what is too large or too small: the file, the file for its tier, or the image."""
    if re.search(r"pixel|dimension|width|height", message, re.IGNORECASE):
        return _filled(ADVICE["InvalidImageDimension"], read)
    if length is None:
        return _filled(ADVICE["InvalidImageSize"], read)
    megabytes = length / 1_000_000
    if megabytes > read.most_megabytes:
        return f"The file has {megabytes:,.0f} MB; Read {read.version} takes {read.most_megabytes} MB. Split or shrink it. {_UPLOAD}"
    if megabytes > 4:
        return f"The file has {megabytes:,.1f} MB; the free tier (F0) takes 4 MB. Move the Read resource to a paid tier, or split or shrink the file. {_UPLOAD}"
    return _filled(ADVICE["InvalidImageDimension"], read)
