/* folder.c: an output folder that appears complete or not at all.
 *
 * It is written beside its final name under one that nobody has, then both change places in one step, and of the former
 * folder what is lstmgen's (own.c) is removed. Two runs at once on one name: from its beginning until its arena is
 * freed a run holds a lock on its own folder, and does not replace one that another run holds. */
#define _GNU_SOURCE                     /* nftw, renameat2 */
#include "base/base.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct Entry { const char *name; char sha256[65]; size_t size; } Entry;

struct FolderFile {
    FolderFile *next;                   /* of those still open */
    Folder *folder;
    const char *name;
    FILE *file;
    EVP_MD_CTX *hash;
    size_t size;
    int error;                          /* errno of the first write that failed */
};

struct Folder {
    Arena *arena;
    Diag *diag;
    const char *path, *temp;            /* final name, and the name it is written under */
    const char *made;                   /* topmost parent that did not exist before, or NULL */
    Entry *entry; int n, room;          /* sorted by name */
    FolderFile *open;
    bool live, failed;
    int lock;                           /* on the folder under either name; -1: none */
    dev_t device; ino_t inode;          /* of the folder */
    Folder *next, *next_held;           /* of all live folders; of all that hold a lock */
};

static pid_t owner; /* a forked child that exits leaves its parent's folders alone */
static Folder *live_folders; /* what atexit still has to remove after an internal fault */
static Folder *held_folders;

/* ---- signals: while a folder is being written they end the writing, which cleans up ---- */

static const int ENDING[] = { SIGINT, SIGTERM, SIGHUP };
static struct sigaction before_ending[LENGTH(ENDING)];
static volatile sig_atomic_t ending;    /* the signal that came, or 0 */

static void note_ending(int number)
{
    ending = number;
}

static void catch_endings(void)
{
    struct sigaction act = { .sa_handler = note_ending };
    for (int i = 0; i < LENGTH(ENDING); i++)
        if (sigaction(ENDING[i], NULL, &before_ending[i]) == 0 && before_ending[i].sa_handler == SIG_DFL)
            sigaction(ENDING[i], &act, NULL);
}

static void release_endings(void)
{
    for (int i = 0; i < LENGTH(ENDING); i++)
        if (before_ending[i].sa_handler == SIG_DFL)
            signal(ENDING[i], SIG_DFL);
    if (ending)
        raise(ending);
}

/* ---- removing ---- */

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st, (void)type, (void)walk;
    return remove(path);
}

bool folder_remove(const char *path)
{
    enum { OPEN_FOLDERS = 16 };
    return nftw(path, remove_one, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS) == 0;
}

static bool fail(Folder *f, const char *what, const char *name, int error)
{
    if (!f->failed)
        diag_error(f->diag, (Place){ 0 }, "cannot %s %s: %s (nothing was changed in %s)", what,
                   name, strerror(error), f->path);
    f->failed = true;
    return false;
}

/* ---- making ---- */

/* Makes every missing folder on the way to `path` (itself only if `last`); *made is the topmost new
 * one. */
static bool make_parents(Arena *a, const char *path, bool last, const char **made)
{
    char *copy = str_dup(a, path);
    for (char *p = copy + 1;; p++) {
        if (*p != '/' && *p != '\0')
            continue;
        bool end = *p == '\0';
        if (end && !last)
            return true;
        *p = '\0';
        if (mkdir(copy, 0777) == 0) {
            if (made && !*made)
                *made = str_dup(a, copy);
        } else if (errno != EEXIST) {
            return false;
        }
        if (end)
            return true;
        *p = '/';
    }
}

static void close_open_files(Folder *f)
{
    for (FolderFile *file = f->open; file; file = file->next) {
        if (file->file)
            fclose(file->file);
        EVP_MD_CTX_free(file->hash);
    }
    f->open = NULL;
}

static void retire(Folder *f)
{
    Folder **link = &live_folders;
    while (*link && *link != f)
        link = &(*link)->next;
    if (*link)
        *link = f->next;
    f->live = false;
    if (!live_folders)
        release_endings();
}

/* The folders that were made for this one, as far as nobody else has put something there. */
static void remove_made(const Folder *f)
{
    char *path = str_dup(f->arena, f->path);
    for (char *slash; f->made && (slash = strrchr(path, '/')) && slash - path >= (ptrdiff_t)strlen(f->made);) {
        *slash = '\0';
        if (rmdir(path) < 0)
            return;
    }
}

static void unlock(Folder *f)
{
    Folder **link = &held_folders;
    while (*link && *link != f)
        link = &(*link)->next_held;
    if (*link)
        *link = f->next_held;
    if (f->lock >= 0)
        close(f->lock);
    f->lock = -1;
}

void folder_abort(Folder *f)
{
    if (!f->live)
        return;
    close_open_files(f);
    folder_remove(f->temp);
    remove_made(f);
    retire(f);
}

static void end_object(void *object)
{
    folder_abort(object);
    unlock(object);
}

static void abort_all(void)
{
    while (live_folders && getpid() == owner)
        folder_abort(live_folders);
}

/* Without trailing slashes; links and "." at the end are resolved, so that the folder itself is
 * replaced. */
static const char *final_path(Arena *a, const char *path)
{
    char *clean = str_dup(a, path), resolved[PATH_MAX];
    for (size_t n = strlen(clean); n > 1 && clean[n - 1] == '/'; n--)
        clean[n - 1] = '\0';
    struct stat st;
    bool link = lstat(clean, &st) == 0 && S_ISLNK(st.st_mode);
    const char *name = path_name(clean);
    bool dots = strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
    if ((link || dots) && realpath(clean, resolved))
        return str_dup(a, resolved);
    return clean;
}

/* The program was started in `path` or below it. */
static bool is_underfoot(const char *path)
{
    char here[PATH_MAX], there[PATH_MAX];
    if (!getcwd(here, sizeof here) || !realpath(path, there))
        return false;
    size_t n = strlen(there);
    return strncmp(here, there, n) == 0 && (here[n] == '/' || here[n] == '\0');
}

static bool is_held_here(const struct stat *st)
{
    for (const Folder *f = held_folders; f; f = f->next_held)
        if (f->device == st->st_dev && f->inode == st->st_ino)
            return true;
    return false;
}

/* Whether another run is at work on the folder; file systems without locks say no. */
static bool is_held_elsewhere(const char *path, const struct stat *st)
{
    int fd = is_held_here(st) ? -1 : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool held = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK;
    if (fd >= 0)
        close(fd);
    return held;
}

static bool refuse(Diag *d, const char *path, const char *why, const char *remedy)
{
    diag_error(d, (Place){ 0 }, "the output folder %s is not replaced: %s; %s", path, why, remedy);
    return false;
}

/* What is there already must be an output of lstmgen, whole and nothing else. */
static bool may_replace(Arena *a, Diag *d, const char *path)
{
    struct stat st;
    if (lstat(path, &st) < 0)
        return true;
    if (!S_ISDIR(st.st_mode)) {
        diag_error(d, (Place){ 0 },
                   "the output folder %s exists and is a file: choose another with -o", path);
        return false;
    }
    if (is_underfoot(path))
        return refuse(d, path, "lstmgen was started in it", "start it from another folder");
    if (is_held_elsewhere(path, &st))
        return refuse(d, path, "another run of lstmgen is at work there",
                      "wait until it has ended, or choose another folder with -o");
    const char *foreign = folder_foreign(a, path);
    return !foreign || refuse(d, path, foreign, "choose another with -o, or move or remove it yourself");
}

static bool make_temp(Folder *f, char *temp)
{
    if (!make_parents(f->arena, f->path, false, &f->made) || !mkdtemp(temp))
        return false;
    mode_t mask = umask(0);
    umask(mask);
    struct stat st;
    f->lock = open(temp, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f->lock >= 0 && fstat(f->lock, &st) == 0 && flock(f->lock, LOCK_EX | LOCK_NB) == 0) {
        f->device = st.st_dev;
        f->inode = st.st_ino;
        f->next_held = held_folders;
        held_folders = f;
    }
    return chmod(temp, 0777 & ~mask) == 0;
}

/* The folder's parent, locked: of two runs one looks and renames after the other. -1: without. */
static int lock_parent(const Folder *f)
{
    const char *parent = path_beside(f->arena, f->path, ".");
    int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (fd >= 0 && flock(fd, LOCK_EX) < 0 && errno == EINTR)
        ;
    return fd;
}

/* Needs a writable parent (made if missing). NULL after recording why not; nothing is left behind
 * then. */
Folder *folder_begin(Arena *a, Diag *d, const char *path)
{
    static bool registered;
    Folder *f = ARENA_NEW(a, Folder);
    f->arena = a;
    f->diag = d;
    f->lock = -1;
    f->path = final_path(a, path);
    if (!path[0] || !path_name(f->path)[0]) {
        diag_error(d, (Place){ 0 }, "'%s' cannot be an output folder", path);
        return NULL;
    }
    int parent = lock_parent(f);        /* no other run changes it between its manifest and its files */
    bool free = may_replace(a, d, f->path);
    if (parent >= 0)
        close(parent);
    if (!free)
        return NULL;
    char *temp = path_beside(a, f->path, str_format(a, ".%s.XXXXXX", path_name(f->path)));
    if (!live_folders) {
        ending = 0;
        catch_endings();
    }
    if (!make_temp(f, temp)) {
        fail(f, "make a folder for", f->path, errno);
        remove_made(f);
        unlock(f);
        if (!live_folders)
            release_endings();
        return NULL;
    }
    f->temp = temp;
    f->live = true;
    owner = getpid();
    f->next = live_folders;
    live_folders = f;
    arena_on_free(a, end_object, f);
    if (!registered)
        registered = atexit(abort_all) == 0;
    return f;
}

static bool good_name(const char *name)
{
    if (!name[0] || name[0] == '/' || str_ends(name, "/"))
        return false;
    for (const char *p = name; p; p = strchr(p, '/')) {
        p += *p == '/';
        size_t n = strcspn(p, "/");
        if (n == 0 || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
            return false;
    }
    return true;
}

/* A new file below the folder, its parents made. Every folder_open needs one folder_close, or
 * folder_abort. */
FolderFile *folder_open(Folder *f, const char *name)
{
    REQUIRE(f->live);
    f->failed = f->failed || ending;
    if (f->failed)
        return NULL;
    if (!good_name(name)) {
        diag_error(f->diag, (Place){ 0 }, "the output file name '%s' leaves the output folder",
                   name);
        f->failed = true;
        return NULL;
    }
    const char *path = path_join(f->arena, f->temp, name);
    FolderFile *file = ARENA_NEW(f->arena, FolderFile);
    *file = (FolderFile){ .folder = f, .name = str_dup(f->arena, name) };
    if (make_parents(f->arena, path, false, NULL))
        file->file = fopen(path, "wbx");
    if (!file->file) {
        fail(f, "write", name, errno);
        return NULL;
    }
    file->hash = EVP_MD_CTX_new();
    REQUIRE(file->hash && EVP_DigestInit_ex(file->hash, EVP_sha256(), NULL));
    file->next = f->open;
    f->open = file;
    return file;
}

/* Errors are kept until folder_close, so that a writer need not look at each piece. */
void folder_put(FolderFile *file, const void *data, size_t n)
{
    if (ending && !file->error)
        file->error = EINTR;
    if (n == 0 || file->error)
        return;
    errno = 0;
    if (fwrite(data, 1, n, file->file) != n)
        file->error = errno ? errno : EIO;
    REQUIRE(EVP_DigestUpdate(file->hash, data, n));
    file->size += n;
}

static void entry_add(Folder *f, const FolderFile *file)
{
    if (f->n == f->room) {
        int room = f->room ? 2 * f->room : 32;
        f->entry = arena_grow(f->arena, f->entry, sizeof(Entry) * (size_t)f->room,
                              sizeof(Entry) * (size_t)room);
        f->room = room;
    }
    int i = f->n++;
    for (; i > 0 && strcmp(f->entry[i - 1].name, file->name) > 0; i--)
        f->entry[i] = f->entry[i - 1];
    f->entry[i] = (Entry){ .name = file->name, .size = file->size };
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned int length = 0;
    REQUIRE(EVP_DigestFinal_ex(file->hash, hash, &length) && length == 32);
    for (int k = 0; k < 32; k++)
        sprintf(f->entry[i].sha256 + 2 * k, "%02x", hash[k]);
}

bool folder_close(FolderFile *file)
{
    Folder *f = file->folder;
    errno = 0;
    if (fclose(file->file) != 0 && !file->error)
        file->error = errno ? errno : EIO;
    if (file->error)
        fail(f, "write", file->name, file->error);
    else
        entry_add(f, file);
    EVP_MD_CTX_free(file->hash);
    FolderFile **link = &f->open;
    while (*link != file)
        link = &(*link)->next;
    *link = file->next;
    return !file->error;
}

bool folder_write(Folder *f, const char *name, const void *data, size_t n)
{
    FolderFile *file = folder_open(f, name);
    if (!file)
        return false;
    folder_put(file, data, n);
    return folder_close(file);
}

const char *folder_path(const Folder *f)
{
    return f->temp;
}

void folder_list(const Folder *f,
                 void (*each)(void *ctx, const char *name, const char sha256[65], size_t size),
                 void *ctx)
{
    for (int i = 0; i < f->n; i++)
        each(ctx, f->entry[i].name, f->entry[i].sha256, f->entry[i].size);
}

/* Where a file system cannot exchange two names: the former folder steps aside, and back if the new one cannot take
 * its name. */
static bool replace_in_steps(Folder *f, const char **former)
{
    *former = str_format(f->arena, "%s.old", f->temp);
    if (renameat2(AT_FDCWD, f->path, AT_FDCWD, *former, RENAME_NOREPLACE) < 0 && rename(f->path, *former) < 0)
        return fail(f, "replace", f->path, errno);
    if (rename(f->temp, f->path) == 0)
        return true;
    int error = errno;
    if (rename(*former, f->path) < 0)
        return fail(f, "put back the former output, now in", *former, errno);
    return fail(f, "rename the new output to", f->path, error);
}

/* *former: where the former folder is now, or NULL. */
static bool swap_in(Folder *f, const char **former)
{
    *former = NULL;
    if (!may_replace(f->arena, f->diag, f->path))
        return false;
    if (!file_exists(f->path)) {
        if (renameat2(AT_FDCWD, f->temp, AT_FDCWD, f->path, RENAME_NOREPLACE) == 0 || rename(f->temp, f->path) == 0)
            return true;
        return fail(f, "rename the new output to", f->path, errno);
    }
    if (renameat2(AT_FDCWD, f->temp, AT_FDCWD, f->path, RENAME_EXCHANGE) < 0)
        return replace_in_steps(f, former);
    *former = f->temp;
    return true;
}

/* After this the folder is closed, whether it returns true (renamed) or false (removed, error
 * recorded). */
bool folder_commit(Folder *f)
{
    REQUIRE(f->live && !f->open);
    const char *former;
    int parent = lock_parent(f);
    bool ok = !f->failed && !ending && swap_in(f, &former);
    if (parent >= 0)
        close(parent);
    if (!ok) {
        folder_abort(f);
        return false;
    }
    if (former && !folder_remove_own(former))
        diag_warn(f->diag, (Place){ 0 }, "%s, the former output, is still there: something in it is not lstmgen's",
                  former);
    retire(f);
    return true;
}
