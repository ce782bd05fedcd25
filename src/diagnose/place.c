#include "diagnose/place.h"

#include "diagnose/escape.h"

#define MAX_NAME 200

/* Bytes of the folder in front; what follows the colon of "bundle.zip:member" is no folder of the disk. */
static size_t folder_bytes(const char *name)
{
	size_t n = 0;
	for (size_t i = 0; name[i] != '\0' && name[i] != ':'; i++)
		if (name[i] == '/')
			n = i + 1;
	return n;
}

size_t place_common_bytes(const struct report *r)
{
	if (r->n_files == 0)
		return 0;
	const char *first = r->files[0].name;
	size_t n = folder_bytes(first);
	for (size_t i = 1; i < r->n_files; i++) {
		const char *name = r->files[i].name;
		size_t limit = folder_bytes(name), same = 0, folder = 0;
		for (; same < n && same < limit && name[same] == first[same]; same++)
			if (name[same] == '/')
				folder = same + 1;
		n = folder;
	}
	return n > 1 ? n : 0;
}

void place_put_folder(struct text *t, const struct report *r)
{
	if (r->n_files > 0)
		escape_put(t, span_of(r->files[0].name, r->n_folder_bytes), MAX_NAME);
}

void place_put_file(struct text *t, const struct report *r, uint32_t file)
{
	if (file < r->n_files)
		escape_put(t, span_str(r->files[file].name + r->n_folder_bytes), MAX_NAME);
}

static const char *last_part(const char *name)
{
	const char *slash = strrchr(name, '/');
	return slash != NULL && slash[1] != '\0' ? slash + 1 : name;
}

static bool is_only_one(const struct report *r, uint32_t file)
{
	const char *part = last_part(r->files[file].name);
	for (size_t i = 0; i < r->n_files; i++)
		if (i != file && strcmp(last_part(r->files[i].name), part) == 0)
			return false;
	return true;
}

void place_put(struct text *t, const struct report *r, uint32_t file, uint32_t line)
{
	if (file < r->n_files && is_only_one(r, file))
		escape_put(t, span_str(last_part(r->files[file].name)), MAX_NAME);
	else
		place_put_file(t, r, file);
	text_fmt(t, ":%u", line);
}
