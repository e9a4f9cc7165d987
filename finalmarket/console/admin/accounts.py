"""Who may come in: users, groups, and the jobs that work for them."""

import django.contrib.auth.admin  # noqa: F401  # registers its own pages first, so that ours can take their place
import procrastinate.contrib.django.admin  # noqa: F401
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from procrastinate.contrib.django.models import ProcrastinateJob
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from finalmarket.console.admin.records import ReadOnlyAdmin, RecordAdmin, pilled

for known in (User, Group, ProcrastinateJob):
    admin.site.unregister(known)


@admin.register(User)
class AccountAdmin(UserAdmin, RecordAdmin):  # type: ignore[type-arg]
    """People who may log in, and what they may do."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "email", "first_name", "last_name", "is_staff", "is_active", "last_login")


@admin.register(Group)
class RoleAdmin(GroupAdmin, RecordAdmin):
    """Roles: sets of permissions given to several people."""


@admin.register(ProcrastinateJob)
class JobAdmin(ReadOnlyAdmin):
    """Work that runs behind the pages; written by the job queue alone."""

    list_display = ("id", "task_name", "state", "queue_name", "attempts", "scheduled_at")
    list_filter = ("status", "queue_name")
    search_fields = ("task_name",)
    search_help_text = "Name of the task"
    ordering = ("-id",)

    state = pilled("status")
